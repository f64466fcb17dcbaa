//! Moves of slots from one node to another.

use std::net::Ipv4Addr;

use redis::Cmd;

use super::{cluster::RedisCluster, error::ClusterError, layout::SLOTS, node::Node};

impl RedisCluster {
    /// Moves a slot with its keys to the node with the index `to`, as `redis-cli --cluster reshard` does.
    ///
    /// # Errors
    ///
    /// Fails if the slot or the node does not exist, or a node refuses a command.
    pub async fn move_slot(&mut self, slot: u16, to: usize) -> Result<(), ClusterError> {
        let slot_move = self.begin_move(slot, to).await?;
        slot_move.move_keys().await?;
        slot_move.finish().await
    }

    /// Begins to move a slot. Until [`SlotMove::finish`] the old node replies `ASK` for keys that it does not
    /// have.
    ///
    /// # Errors
    ///
    /// See [`RedisCluster::move_slot`].
    pub async fn begin_move(&mut self, slot: u16, to: usize) -> Result<SlotMove<'_>, ClusterError> {
        SlotMove::begin(self, slot, to).await
    }
}

/// A move in progress. Dropped before [`SlotMove::finish`], it stays incomplete, as when `redis-cli` is
/// interrupted.
#[derive(Debug)]
#[must_use = "a move that is not finished leaves the slot between two nodes"]
pub struct SlotMove<'a> {
    cluster: &'a mut RedisCluster,
    slot: u16,
    from: usize,
    to: usize,
}

impl<'a> SlotMove<'a> {
    async fn begin(cluster: &'a mut RedisCluster, slot: u16, to: usize) -> Result<Self, ClusterError> {
        if slot >= SLOTS {
            return Err(ClusterError::NoSuchSlot { slot, node: to });
        }
        let from = cluster.owner(slot);
        let slot_move = Self { cluster, slot, from, to };
        let (source, target) = (slot_move.node(from)?, slot_move.node(to)?);
        target.run::<()>(slot_move.set_slot_command("IMPORTING").arg(source.id().await?)).await?;
        source.run::<()>(slot_move.set_slot_command("MIGRATING").arg(target.id().await?)).await?;
        Ok(slot_move)
    }

    /// Moves all keys that the slot has at this moment.
    ///
    /// # Errors
    ///
    /// Fails if a node refuses a command.
    pub async fn move_keys(&self) -> Result<(), ClusterError> {
        let (source, target) = (self.node(self.from)?, self.node(self.to)?);
        loop {
            let mut list = redis::cmd("CLUSTER");
            let keys: Vec<Vec<u8>> = source.run(list.arg("GETKEYSINSLOT").arg(self.slot).arg(KEYS_PER_MIGRATE)).await?;
            if keys.is_empty() {
                return Ok(());
            }
            let mut migrate = redis::cmd("MIGRATE");
            migrate.arg(Ipv4Addr::LOCALHOST.to_string()).arg(target.port).arg("").arg(0).arg(MIGRATE_TIMEOUT_MS);
            source.run::<()>(migrate.arg("KEYS").arg(keys)).await?;
        }
    }

    /// Assigns the slot to the new node and waits until all nodes agree.
    ///
    /// # Errors
    ///
    /// Fails if a node refuses, as the old one does while it has keys of the slot, or if the nodes do not
    /// agree in time.
    pub async fn finish(self) -> Result<(), ClusterError> {
        let target = self.node(self.to)?;
        let mut command = self.set_slot_command("NODE");
        command.arg(target.id().await?);
        // The new node first: if it failed after the others had been updated, no node would serve the slot.
        target.run::<()>(&command).await?;
        self.cluster.run_on_all(&command).await?;
        self.cluster.moved.insert(self.slot, self.to);
        // The new node takes an epoch above all epochs that it knows. Without the epoch of the previous move,
        // it could accept an outdated message about the slot and drop the keys.
        self.cluster.ready().await
    }

    fn set_slot_command(&self, state: &str) -> Cmd {
        let mut command = redis::cmd("CLUSTER");
        command.arg("SETSLOT").arg(self.slot).arg(state);
        command
    }

    fn node(&self, index: usize) -> Result<&Node, ClusterError> {
        self.cluster.nodes.get(index).ok_or(ClusterError::NoSuchSlot { slot: self.slot, node: index })
    }
}

const KEYS_PER_MIGRATE: u32 = 100;
const MIGRATE_TIMEOUT_MS: u32 = 5_000;
