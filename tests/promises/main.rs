//! The guarantees in DESIGN.md, as properties of `lua/check.lua` on a real redis-server, for all algorithms and their
//! mixes. More properties are tested on the in-memory limiter (`tests/memory_limiter.rs`), and
//! `tests/agreement.rs` carries those over.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bounds;
mod clocks;
mod deny_cache;
mod leases;
mod plans;
mod prefetch;
mod prices;
mod refusals;
mod states;

#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/clocked.rs"]
mod clocked;
#[path = "../support/direct.rs"]
mod direct;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/traffic.rs"]
mod traffic;

use clocked::{Clocked, ClockedTransport};
use proptest::test_runner::TestCaseError;
use sluicegate::limit::{Limit, LimitName, Subject, Window};
use sluicegate::limiter::Limiter;
use sluicegate::time::Millis;

pub(crate) use support::Spec;

thread_local! {
    /// One server for all cases of a test. Nothing expires, because the tests use their own clock.
    static SERVER: Clocked = Clocked::start();
}

/// Runs a case on an empty server.
fn with_limiter(
    case: impl FnOnce(&Limiter<ClockedTransport<'_>>, &Clocked) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    SERVER.with(|server| {
        server.clear();
        case(&server.unforgetting(), server)
    })
}

/// Returns all keys of a subject with the bytes of their values.
fn dump(server: &Clocked, subject: &Subject) -> Vec<(String, Vec<u8>)> {
    server.redis.borrow_mut().dump(subject.as_str())
}

/// A limit of one of the five algorithms, or `None` if the numbers are out of bounds.
fn limit(kind: u8, name: &str, quota: u64, window: u64) -> Option<Limit> {
    let (name, window) = (LimitName::new(name).unwrap(), Millis::new(window));
    let limit = match kind {
        0 => Limit::sliding_log(name, quota, window),
        1 => Limit::sliding_window(name, quota, window),
        2 => Limit::fixed_window(name, quota, Window::Span(window)),
        3 => Limit::token_bucket(name, quota, window, None),
        _ => Limit::concurrency(name, quota, window),
    };
    limit.ok()
}

/// The first millisecond of a window of 1, 10, 60 or 1000 s.
const T: u64 = 1_800_000_000_000;
