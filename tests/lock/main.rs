//! The lock against a real redis-server, through the real bridge: scripts, guard, fencing tokens and contention.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod acquire;
#[path = "../support/cases.rs"]
mod cases;
mod contention;
mod faulty_transport;
mod fence;
mod guard;
mod keep_alive;
mod replies;
mod runtime;
mod scripts;
mod sequences;
mod server;

use sluicegate::redis::Transport;
use sluicegate::redis::lock::{Attempt, Guard, Lease, Lock, Runtime};
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;

const LOCK: &str = "sg:1:{lock:job}";
const FENCE: &str = "sg:1:{lock:job}:fence";

/// Returns the lock `job` with a lease of `ttl` milliseconds.
fn lock<T: Transport, R: Runtime>(transport: T, runtime: R, ttl: u64) -> Lock<T, R> {
    Lock::new(transport, runtime, Dialect::Plain, "job", Lease::new(Millis::new(ttl)).unwrap())
}

/// Acquires the lock in one attempt, which must succeed.
async fn take<'a, T: Transport, R: Runtime>(lock: &'a Lock<T, R>, owner: &str) -> Guard<'a, T, R> {
    match lock.try_acquire(owner).await.unwrap() {
        Attempt::Acquired(guard) => guard,
        Attempt::Busy { free_in } => panic!("{owner}: the lock is busy, free in {free_in:?}"),
    }
}

/// Makes one attempt, which must find the lock busy, and returns the time until its lease ends.
async fn expect_busy<T: Transport, R: Runtime>(lock: &Lock<T, R>, owner: &str) -> Option<Millis> {
    match lock.try_acquire(owner).await.unwrap() {
        Attempt::Acquired(guard) => panic!("{owner} acquired the lock with token {}", guard.token()),
        Attempt::Busy { free_in } => free_in,
    }
}
