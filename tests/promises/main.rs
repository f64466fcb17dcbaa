//! What DESIGN.md promises of the limits, as properties of `lua/check.lua` on a real redis-server, for all
//! algorithms and their mixes. More of them hold for the limiter in memory (`tests/memory_limiter.rs`), and
//! `tests/agreement.rs` carries those over.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bounds;
mod clocks;
mod leases;
mod plans;
mod prices;
mod refusals;

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
    /// One server for all cases of a test. Nothing expires: the tests' clock is not the server's.
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

/// All that a subject has in Redis: each key with its value's bytes.
fn dump(server: &Clocked, subject: &Subject) -> Vec<(String, Vec<u8>)> {
    server.redis.borrow_mut().dump(subject.as_str())
}

/// A limit of one of the five kinds; `None` where the numbers are beyond its bounds.
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
