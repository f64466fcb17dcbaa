//! Why a private cluster did not start or did not do what a test needs.

use std::time::Duration;

use super::layout::{NODES, SLOTS};
use crate::redis_server::StartError;

/// A private cluster could not be started, or a node did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A node did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A node refused a command, or did not reply.
    #[error("{command} failed at {url}: {reason}")]
    Command {
        /// The command.
        command: String,
        /// The node.
        url: String,
        /// What Redis said or what happened.
        reason: String,
    },
    /// The nodes did not come to agree.
    #[error("the cluster is not ready after {READY_TIMEOUT:?}: {0}")]
    NotReady(String),
    /// There is no such slot, or no such node.
    #[error("no slot {slot} or no node {node} (there are {SLOTS} slots and {NODES} nodes)")]
    NoSuchSlot {
        /// The slot that was asked for.
        slot: u16,
        /// The index of the node that was asked for.
        node: usize,
    },
}

/// A node that has just started waits 2 s before it trusts what it sees; the rest is for a busy machine.
pub(super) const READY_TIMEOUT: Duration = Duration::from_secs(30);
