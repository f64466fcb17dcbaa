//! The errors of a private cluster.

use std::time::Duration;

use super::layout::{NODES, SLOTS};
use crate::redis_server::StartError;

/// An error of starting a private cluster or of a command to one of its nodes.
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
        /// The URL of the node.
        url: String,
        /// The error of Redis or of the connection.
        reason: String,
    },
    /// The nodes did not agree in time.
    #[error("the cluster is not ready after {READY_TIMEOUT:?}: {0}")]
    NotReady(String),
    /// The slot or the node does not exist.
    #[error("no slot {slot} or no node {node} (there are {SLOTS} slots and {NODES} nodes)")]
    NoSuchSlot {
        /// The requested slot.
        slot: u16,
        /// The index of the requested node.
        node: usize,
    },
}

/// A node waits 2 s after its start before it reports the cluster as healthy. The rest is for a busy machine.
pub(super) const READY_TIMEOUT: Duration = Duration::from_secs(30);
