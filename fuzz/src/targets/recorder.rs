//! Replies to the scheduled job that records usage.
//!
//! The first line has the time, the budget of requests, and a random number. Each other line is a reply. The job ends, and
//! does not exceed a budget that suffices for one tenant.

use std::cell::Cell;

use sluicegate::limiter::Limiter;
use sluicegate::redis::lock::{Lease, Runtime};
use sluicegate::redis::script::Dialect;
use sluicegate::tenant::history::{End, Recorder};
use sluicegate::time::Millis;

use crate::fake_redis::{FakeRedis, run as run_future};
use crate::input::{Lines, Words};

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let first = lines.text();
    let mut words = Words::new(&first);
    let (now, budget, random) = (Millis::new(words.number()), words.number(), words.number());
    let budget = u32::try_from(budget % 100).expect("it is small");
    let limiter = Limiter::new(FakeRedis::new(lines), Dialect::Plain);
    let lease = Lease::new(Millis::from_secs(30)).expect("a valid lease");
    let recorder = Recorder::new(&limiter, FakeRuntime { now: Cell::new(0), random }, lease).with_calls(budget);
    let result = run_future(recorder.run("owner", now));
    let calls = limiter.transport().calls();
    assert!(calls <= SUFFICIENT.max(budget as usize), "{calls} requests: {result:?}");
    if let Ok(report) = result {
        assert_eq!(report.calls as usize, calls);
        assert!(report.unreadable.len() as u64 <= report.tenants, "{report:?}");
        assert!(report.end != End::TooClose || calls == 0, "{report:?}");
    }
}

/// A clock that advances by a second each time it is read.
struct FakeRuntime {
    now: Cell<u64>,
    random: u64,
}

impl Runtime for FakeRuntime {
    async fn sleep(&self, duration: Millis) {
        self.now.set(self.now.get().saturating_add(duration.get()));
    }

    fn now(&self) -> Millis {
        self.now.set(self.now.get() + 1000);
        Millis::new(self.now.get())
    }

    fn random(&self) -> u64 {
        self.random
    }
}

/// The smallest budget with which the job makes progress.
const SUFFICIENT: usize = 25;
