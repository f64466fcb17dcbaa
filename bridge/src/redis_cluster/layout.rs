//! The nodes and slots of a private cluster at its start.

/// The smallest number of nodes that keeps a majority without one of them.
pub(super) const NODES: usize = 3;

/// The number of slots of every Redis Cluster.
pub(super) const SLOTS: u16 = 16_384;

/// Returns the index of the node that serves a slot at the start.
pub(super) fn initial_owner(slot: u16) -> usize {
    usize::from(slot) * NODES / usize::from(SLOTS)
}
