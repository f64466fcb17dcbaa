//! The nodes of a private cluster, and what they agree about.

use std::{collections::HashMap, time::Duration};

use redis::Cmd;
use tokio::time::{Instant, sleep};

use super::{
    error::{ClusterError, READY_TIMEOUT},
    layout::{NODES, SLOTS, initial_owner},
    node::Node,
};
use crate::redis_server::RedisServer;

/// Three primaries without replicas, each a [`RedisServer`] that also listens at a free TCP port of 127.0.0.1.
///
/// Each serves a third of the 16,384 slots, and goes on serving it while another one is down. Processes and folders
/// end with the value, and also when this process ends without dropping it.
#[derive(Debug)]
pub struct RedisCluster {
    pub(super) nodes: Vec<Node>,
    /// The slots that are not where they were at the start, each with the index of its node.
    pub(super) moved: HashMap<u16, usize>,
}

impl RedisCluster {
    /// Starts an empty cluster that keeps nothing on disk, and waits until its nodes agree; 2 to 4 s.
    ///
    /// # Errors
    ///
    /// Redis is not installed or older than 7.0, did not start, or the nodes did not come to agree.
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

    /// `redis://127.0.0.1:PORT` of each node, for [`Backend::Cluster`](crate::Backend::Cluster) and cluster clients.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// A node by its index in [`RedisCluster::urls`], to be ended or started again. After a restart it takes part
    /// again once [`RedisCluster::ready`] says so; its keys are gone, its slots are not.
    pub fn node(&mut self, index: usize) -> Option<&mut RedisServer> {
        Some(&mut self.nodes.get_mut(index)?.server)
    }

    /// Waits until all nodes run and agree about all slots, for 30 s at most.
    ///
    /// # Errors
    ///
    /// They do not, with what a node says about it.
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

    /// Whether all is well at each node, and each says the same of all nodes; what is not, if not.
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

    /// The slot of a key, 0 to 16,383.
    ///
    /// # Errors
    ///
    /// No node answers.
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

    /// The index of the node that serves a slot.
    #[must_use]
    pub fn owner(&self, slot: u16) -> usize {
        self.moved.get(&slot).copied().unwrap_or_else(|| initial_owner(slot))
    }

    /// Hands out the slots and makes the nodes known to each other.
    async fn form(&self) -> Result<(), ClusterError> {
        let mut first = 0;
        for (index, node) in (1..).zip(&self.nodes) {
            let last = (first..SLOTS).take_while(|&slot| self.owner(slot) < index).last().unwrap_or(first);
            node.run::<()>(redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last)).await?;
            // Different from the start: with equal ones the nodes would have to settle first who is newer.
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

    /// Every node's reply to a command, which must be none.
    pub(super) async fn run_on_all(&self, command: &Cmd) -> Result<(), ClusterError> {
        for node in &self.nodes {
            node.run::<()>(command).await?;
        }
        Ok(())
    }
}

/// What each node says when all is well.
const HEALTHY_INFO: [&str; 3] = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"];

const POLL_INTERVAL: Duration = Duration::from_millis(20);
