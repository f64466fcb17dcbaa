//! The scheduled job that writes usage into the ledgers.

use super::budget::BudgetedTransport;
use super::day::Day;
use super::history::LOCK;
use super::progress::Progress;
use super::recording::Recording;
use super::report::{End, RecordError, Report};
use crate::limiter::Limiter;
use crate::redis::Transport;
use crate::redis::lock::{Attempt, Lease, Lock, RawLock, Runtime};
use crate::time::Millis;

/// One invocation of the scheduled job. It closes yesterday for as many tenants as its budget of requests to
/// Redis allows; the next invocation continues.
///
/// Any number of recorders may run at once, and each may stop at any point: only the holder of the lock works,
/// and the next one continues where it stopped.
#[derive(Debug)]
pub struct Recorder<'a, T, R> {
    limiter: &'a Limiter<T>,
    runtime: R,
    lease: Lease,
    budget: u32,
}

impl<'a, T: Transport, R: Runtime> Recorder<'a, T, R> {
    /// Creates a recorder with a budget of 45 requests to Redis.
    ///
    /// All recorders should use the same `lease`. If an invocation dies, the others wait until its lease ends.
    pub fn new(limiter: &'a Limiter<T>, runtime: R, lease: Lease) -> Self {
        Recorder { limiter, runtime, lease, budget: DEFAULT_BUDGET }
    }

    /// Returns the recorder with a budget of `calls` requests. With fewer than 25 it may make no progress.
    #[must_use]
    pub fn with_calls(self, calls: u32) -> Self {
        Recorder { budget: calls, ..self }
    }

    /// Runs the job at `now`, since the Unix epoch. `owner` must be unique to this invocation.
    ///
    /// # Errors
    /// Returns a [`RecordError`] if Redis or the list of tenants fails.
    pub async fn run(self, owner: &str, now: Millis) -> Result<Report, RecordError> {
        let transport = BudgetedTransport::new(self.limiter.transport(), self.budget);
        let mut report = Report { end: End::TooClose, tenants: 0, written: 0, unreadable: Vec::new(), calls: 0 };
        report.end = self.record(&transport, owner, now, &mut report).await?;
        report.calls = transport.used();
        Ok(report)
    }

    async fn record(
        self,
        transport: &BudgetedTransport<&T>,
        owner: &str,
        now: Millis,
        report: &mut Report,
    ) -> Result<End, RecordError> {
        let today = Day::of(now);
        let time = now.get() - today.begins().get();
        if !(RECORDING_STARTS..RECORDING_ENDS).contains(&time) {
            return Ok(End::TooClose);
        }
        let (yesterday, dialect) = (today.before(), self.limiter.dialect());
        // Most invocations end here, after one request.
        let stored = RawLock::new(transport, dialect, LOCK).read(Progress::VALUE_NAME).await?;
        if Progress::of(yesterday, stored.as_deref()).is_over(yesterday) {
            return Ok(End::Done);
        }
        let random = self.runtime.random();
        let lock = Lock::new(transport, self.runtime, dialect, LOCK, self.lease);
        let guard = match lock.try_acquire(owner).await? {
            Attempt::Acquired(guard) => guard,
            Attempt::Busy { free_in } => return Ok(End::Busy { free_in }),
        };
        let renew_at = Millis::new(self.lease.ttl().get() / 2);
        let limiter = Limiter::new(transport, dialect);
        let mut recording = Recording { limiter, lock: &lock, guard: &guard, transport, renew_at, now, random, report };
        let end = recording.close_day(yesterday).await?;
        if !matches!(end, End::Lost(_) | End::Overtaken { .. }) {
            // A failure does not matter: the work is done, and the lease ends by itself.
            let _released = guard.release().await;
        }
        Ok(end)
    }
}

/// Five fewer than the 50 that the free plan of Workers allows, for the rest of the invocation.
const DEFAULT_BUDGET: u32 = 45;

/// The time after midnight at which recording starts, in milliseconds. By then nearly all requests admitted
/// before midnight are settled, and clocks that are behind have passed midnight.
const RECORDING_STARTS: u64 = 5 * 60_000;

/// The time at which recording ends, in milliseconds after midnight: clocks that are ahead may be in the next
/// day.
const RECORDING_ENDS: u64 = Millis::DAY.get() - 60_000;
