//! A private Redis Cluster for tests.

mod cluster;
mod error;
mod layout;
mod node;
mod slot_move;

pub use self::{cluster::RedisCluster, error::ClusterError, slot_move::SlotMove};
