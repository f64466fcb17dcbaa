//! Writes what was used into the ledgers, a few tenants at a time.

use super::budget::Budget;
use super::day::Day;
use super::history::LOCK;
use super::progress::Round;
use super::recording::Work;
use super::report::{End, RecordError, Report};
use crate::limiter::Limiter;
use crate::redis::Transport;
use crate::redis::lock::{Attempt, Lease, Lock, RawLock, Runtime};
use crate::time::Millis;

/// One invocation of the scheduled work: it closes yesterday for as many tenants as its budget of calls to Redis
/// allows, and leaves the others to the next invocation.
///
/// Any number of recorders may run at once, and any may end at any point: one works, the others see that it does,
/// and whoever comes after it goes on where it was.
#[derive(Debug)]
pub struct Recorder<'a, T, R> {
    limiter: &'a Limiter<T>,
    runtime: R,
    lease: Lease,
    calls: u32,
}

impl<'a, T: Transport, R: Runtime> Recorder<'a, T, R> {
    /// A recorder with a budget of 45 requests to Redis, of the 50 that an invocation of a Worker has at least.
    /// All recorders should have the same `lease`. An invocation that dies keeps the others out until it ends.
    pub fn new(limiter: &'a Limiter<T>, runtime: R, lease: Lease) -> Self {
        Recorder { limiter, runtime, lease, calls: CALLS }
    }

    /// The same with a budget of so many requests. Below 25 it may come to nothing.
    #[must_use]
    pub fn with_calls(self, calls: u32) -> Self {
        Recorder { calls, ..self }
    }

    /// Records, at `now` since the Unix epoch. `owner` is a name that no other invocation has.
    ///
    /// # Errors
    /// A [`RecordError`].
    pub async fn run(self, owner: &str, now: Millis) -> Result<Report, RecordError> {
        let wire = Budget::new(self.limiter.transport(), self.calls);
        let mut report = Report { end: End::TooClose, tenants: 0, written: 0, unreadable: Vec::new(), calls: 0 };
        report.end = self.record(&wire, owner, now, &mut report).await?;
        report.calls = wire.made();
        Ok(report)
    }

    async fn record(
        self,
        wire: &Budget<&T>,
        owner: &str,
        now: Millis,
        report: &mut Report,
    ) -> Result<End, RecordError> {
        let today = Day::of(now);
        let time = now.get() - today.begins().get();
        if !(CLOSED_AFTER..CLOSES_AT).contains(&time) {
            return Ok(End::TooClose);
        }
        let (yesterday, dialect) = (today.before(), self.limiter.dialect());
        // Nearly every invocation of a day ends here, after one request.
        let seen = RawLock::new(wire, dialect, LOCK).read(Round::NAME).await?;
        if Round::of(yesterday, seen.as_deref()).is_over(yesterday) {
            return Ok(End::Done);
        }
        let random = self.runtime.random();
        let lock = Lock::new(wire, self.runtime, dialect, LOCK, self.lease);
        let guard = match lock.try_acquire(owner).await? {
            Attempt::Acquired(guard) => guard,
            Attempt::Busy { free_in } => return Ok(End::Busy { free_in }),
        };
        let renew_at = Millis::new(self.lease.ttl().get() / 2);
        let limiter = Limiter::new(wire, dialect);
        let mut work = Work { limiter, lock: &lock, guard: &guard, wire, renew_at, now, random, report };
        let end = work.go_on(yesterday).await?;
        if !matches!(end, End::Lost(_) | End::Overtaken { .. }) {
            // Whatever comes of it: the work is done, and the lease ends by itself.
            let _released = guard.release().await;
        }
        Ok(end)
    }
}

/// Five less than the free plan of Workers allows, for whatever else the invocation does.
const CALLS: u32 = 45;

/// A day is closed five minutes after its end: requests that it admitted have come to their end by then, nearly all,
/// and clocks that are behind have passed midnight.
const CLOSED_AFTER: u64 = 5 * 60_000;

/// One minute before midnight a clock that is ahead may be in the next day.
const CLOSES_AT: u64 = Millis::DAY.get() - 60_000;
