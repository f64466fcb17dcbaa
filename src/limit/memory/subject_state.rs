//! The state of one subject.

use std::mem;

use crate::limit::algorithm::State;
use crate::limit::check_request::LeaseId;
use crate::limit::limit::Limit;

/// The most limits stored besides those of a call. Bounds the time of a call.
const MAX_OTHER_LIMITS: usize = 128;

/// The limits of one subject with their states. Instants are milliseconds since the epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct SubjectState {
    /// The instant at which all packed states are valid: that of the last charge.
    packed_at: u64,
    limits: Vec<LimitState>,
    /// The instant from which every quota is full, so nothing here matters any more.
    expires_at: u64,
    /// The key of this subject in the limiter's index by expiry.
    pub(super) index_key: Option<(u64, u64)>,
    /// The number of entries when the limiter last counted them.
    pub(super) counted_entries: usize,
}

#[derive(Debug, Clone)]
struct LimitState {
    limit: Limit,
    state: State,
}

impl SubjectState {
    /// Returns the instant at which all packed states are valid.
    pub(super) fn packed_at(&self) -> u64 {
        self.packed_at
    }

    /// Completes a charge at `now` to limits whose states were put back: drops what does not matter any more.
    pub(super) fn finish_charge(&mut self, limits: &[Limit], now: u64) {
        let packed_at = self.packed_at;
        self.limits.retain(|stored| !stored.state.is_packed() || stored.state.full_in(packed_at) > 0);
        self.drop_excess_limits(limits, now);
        self.update_expiry(now);
    }

    /// Ends a lease at the concurrency limits among `limits`, and returns how many of them had it, alive or
    /// expired.
    pub(super) fn release(&mut self, limits: &[Limit], lease: &LeaseId) -> usize {
        let has_lease = |limit: &&Limit| match self.find(limit) {
            Some(LimitState { state: State::Concurrency(leases), .. }) => leases.release(lease.as_str()),
            _ => false,
        };
        let released = limits.iter().filter(has_lease).count();
        self.limits.retain(|stored| !stored.state.is_empty());
        // Packed states are valid at `packed_at`, and others store when they expire: any `now` gives the same
        // result.
        self.update_expiry(0);
        released
    }

    /// Returns whether nothing is stored.
    pub(super) fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Returns the instant from which every quota is full.
    pub(super) fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Returns the number of entries that the limits store.
    pub(super) fn entries(&self) -> usize {
        self.limits.iter().map(|stored| stored.state.entries()).sum()
    }

    /// Drops the limits other than these.
    pub(super) fn drop_other_limits(&mut self, limits: &[Limit]) {
        self.limits.retain(|stored| stored.belongs_to(limits));
    }

    /// Drops limits other than these until [`MAX_OTHER_LIMITS`] are left, those that are full first.
    fn drop_excess_limits(&mut self, limits: &[Limit], now: u64) {
        if self.limits.len() <= MAX_OTHER_LIMITS {
            return;
        }
        let packed_at = self.packed_at;
        self.limits.sort_by_cached_key(|stored| (stored.belongs_to(limits), stored.full_at(packed_at, now)));
        let others = self.limits.partition_point(|stored| !stored.belongs_to(limits));
        self.limits.drain(..others.saturating_sub(MAX_OTHER_LIMITS));
    }

    fn update_expiry(&mut self, now: u64) {
        let packed_at = self.packed_at;
        self.expires_at = self.limits.iter().map(|stored| stored.full_at(packed_at, now)).max().unwrap_or(0);
    }

    /// Returns the state of a limit to work on: a copy of a packed state, but the stored value itself of a log
    /// or of leases, which are too large to copy.
    pub(super) fn take_state(&mut self, limit: &Limit) -> State {
        match self.find(limit) {
            None => State::new(limit),
            Some(stored) if stored.state.is_packed() => stored.state.clone(),
            Some(stored) => mem::replace(&mut stored.state, State::new(limit)),
        }
    }

    /// Stores a state from [`Self::take_state`]. If nothing was charged, packed states stay as they were.
    pub(super) fn put_state(&mut self, limit: &Limit, state: State, charged: bool) {
        match self.find(limit) {
            Some(stored) if charged => *stored = LimitState { limit: limit.clone(), state },
            Some(stored) if !state.is_packed() => stored.state = state,
            None if charged => self.limits.push(LimitState { limit: limit.clone(), state }),
            Some(_) | None => {}
        }
    }

    fn find(&mut self, limit: &Limit) -> Option<&mut LimitState> {
        self.limits.iter_mut().find(|stored| limit.keeps_state_of(&stored.limit))
    }

    /// Advances all stored packed states to `now`, because they share one instant.
    pub(super) fn advance_packed(&mut self, now: u64) {
        for stored in &mut self.limits {
            stored.state.advance(self.packed_at, now);
        }
        self.packed_at = now;
    }
}

impl LimitState {
    /// Returns whether one of these limits uses this state.
    fn belongs_to(&self, limits: &[Limit]) -> bool {
        limits.iter().any(|limit| limit.keeps_state_of(&self.limit))
    }

    /// Returns the instant from which the quota is full. A packed state is valid at `packed_at`, others at `now`.
    fn full_at(&self, packed_at: u64, now: u64) -> u64 {
        let at = if self.state.is_packed() { packed_at } else { now };
        at.saturating_add(self.state.full_in(at))
    }
}
