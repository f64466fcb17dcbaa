//! The nodes of a private cluster and their agreement.

use std::{collections::HashMap, time::Duration};

use redis::Cmd;
use tokio::time::{Instant, sleep};

use super::{
    error::{ClusterError, READY_TIMEOUT},
    layout::{NODES, SLOTS, initial_owner},
    node::Node,
};
use crate::redis_server::RedisServer;

/// A private cluster of three primaries without replicas. Each is a [`RedisServer`] that also listens on a
/// free TCP port of 127.0.0.1.
///
/// Each node serves a third of the 16,384 slots and continues while another node is down. Dropping the value
/// kills the processes and removes their folders, as does the end of this process.
#[derive(Debug)]
pub struct RedisCluster {
    pub(super) nodes: Vec<Node>,
    /// The slots that have moved since the start, each with the index of its node.
    pub(super) moved: HashMap<u16, usize>,
}

impl RedisCluster {
    /// Starts an empty cluster without persistence and waits until its nodes agree, which takes 2 to 4 s.
    ///
    /// # Errors
    ///
    /// Fails if Redis is not installed, is older than 7.0 or does not start, or if the nodes do not agree in
    /// time.
    pub async fn start() -> Result<Self, ClusterError> {
        let mut nodes = Vec::with_capacity(NODES);
        for _ in 0..NODES {
            nodes.push(Node::start().await?);
        }
        let cluster = Self { nodes, moved: HashMap::new() };
        cluster.form().await?;
        cluster.ready().await?;
        Ok(cluster)
    }

    /// Returns the URL `redis://127.0.0.1:PORT` of each node, for
    /// [`Backend::Cluster`](crate::backend::Backend::Cluster) and for cluster clients.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// Returns a node by its index in [`RedisCluster::urls`], to stop or restart it. A restarted node keeps
    /// its slots but loses its keys. It serves again once [`RedisCluster::ready`] returns.
    pub fn node(&mut self, index: usize) -> Option<&mut RedisServer> {
        Some(&mut self.nodes.get_mut(index)?.server)
    }

    /// Waits up to 30 s until all nodes run and agree about all slots.
    ///
    /// # Errors
    ///
    /// Returns [`ClusterError::NotReady`] with the report of a node if they do not.
    pub async fn ready(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while let Err(reason) = self.check_agreement().await {
            if Instant::now() > deadline {
                return Err(ClusterError::NotReady(reason));
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Checks that every node is healthy and that all have the same view of the cluster. Returns the problem
    /// otherwise.
    async fn check_agreement(&self) -> Result<(), String> {
        let mut views = Vec::with_capacity(NODES);
        for node in &self.nodes {
            let info =
                node.run::<String>(redis::cmd("CLUSTER").arg("INFO")).await.map_err(|error| error.to_string())?;
            if !HEALTHY_INFO.iter().all(|line| info.lines().any(|found| found == *line)) {
                return Err(format!("{}: {}", node.url(), info.lines().collect::<Vec<_>>().join(" ")));
            }
            views.push(node.view().await.map_err(|error| error.to_string())?);
        }
        if views.iter().any(|view| Some(view) != views.first()) {
            return Err(format!("the nodes do not agree: {views:?}"));
        }
        Ok(())
    }

    /// Returns the slot of a key, 0 to 16,383.
    ///
    /// # Errors
    ///
    /// Fails if no node replies.
    pub async fn slot(&self, key: &str) -> Result<u16, ClusterError> {
        let mut reply = Err(ClusterError::NotReady("it has no nodes".to_owned()));
        for node in &self.nodes {
            reply = node.run(redis::cmd("CLUSTER").arg("KEYSLOT").arg(key)).await;
            if reply.is_ok() {
                break;
            }
        }
        reply
    }

    /// Returns the index of the node that serves a slot.
    #[must_use]
    pub fn owner(&self, slot: u16) -> usize {
        self.moved.get(&slot).copied().unwrap_or_else(|| initial_owner(slot))
    }

    /// Assigns the slots and introduces the nodes to each other.
    async fn form(&self) -> Result<(), ClusterError> {
        let mut first = 0;
        for (index, node) in (1..).zip(&self.nodes) {
            let last = (first..SLOTS).take_while(|&slot| self.owner(slot) < index).last().unwrap_or(first);
            node.run::<()>(redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last)).await?;
            // Distinct epochs from the start: with equal ones the nodes would first have to resolve the
            // conflict.
            node.run::<()>(redis::cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(index)).await?;
            first = last + 1;
        }
        if let [one, others @ ..] = self.nodes.as_slice() {
            for node in others {
                one.run::<()>(&node.meet_command()).await?;
            }
        }
        Ok(())
    }

    /// Runs a command on every node.
    pub(super) async fn run_on_all(&self, command: &Cmd) -> Result<(), ClusterError> {
        for node in &self.nodes {
            node.run::<()>(command).await?;
        }
        Ok(())
    }
}

/// The lines of `CLUSTER INFO` on every node of a healthy cluster.
const HEALTHY_INFO: [&str; 3] = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"];

const POLL_INTERVAL: Duration = Duration::from_millis(20);
