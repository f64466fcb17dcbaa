//! What all connections of one network share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::watch;

use super::fault::Fault;

/// The fault of a network, and what it counts.
#[derive(Debug)]
pub(super) struct State {
    conditions: watch::Sender<Conditions>,
    /// Whether the port is open.
    port: watch::Sender<bool>,
    pub(super) held_back: AtomicUsize,
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
}

/// The fault and the number of times that all connections were broken.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    pub(super) fault: Fault,
    pub(super) cuts: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            conditions: watch::Sender::default(),
            port: watch::Sender::new(true),
            held_back: AtomicUsize::default(),
            connections: AtomicU64::default(),
            requests: AtomicU64::default(),
        }
    }
}

impl State {
    /// Replaces the fault; [`Fault::Refuse`] also breaks all connections.
    pub(super) fn set(&self, fault: Fault) {
        self.conditions.send_modify(|conditions| {
            conditions.cuts += u64::from(fault == Fault::Refuse);
            conditions.fault = fault;
        });
    }

    /// Breaks all connections.
    pub(super) fn cut(&self) {
        self.conditions.send_modify(|conditions| conditions.cuts += 1);
    }

    /// Returns a receiver of each change.
    pub(super) fn conditions(&self) -> watch::Receiver<Conditions> {
        self.conditions.subscribe()
    }

    /// Reports that the port is open or closed now.
    pub(super) fn set_port(&self, open: bool) {
        self.port.send_replace(open);
    }

    /// Waits until the port is open or closed.
    pub(super) async fn port_is(&self, open: bool) {
        // Cannot fail: this value has the sender.
        let _ = self.port.subscribe().wait_for(|now| *now == open).await;
    }

    /// Counts a response that is held back until the returned value is dropped.
    pub(super) fn hold_back(&self) -> HeldBack<'_> {
        self.held_back.fetch_add(1, Ordering::SeqCst);
        HeldBack(&self.held_back)
    }
}

/// Counts one response that is held back, until it is dropped.
pub(super) struct HeldBack<'a>(&'a AtomicUsize);

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
