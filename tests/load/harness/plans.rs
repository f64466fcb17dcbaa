//! The subjects and their limits.

use std::sync::LazyLock;

use sluicegate::limit::{Limit, LimitName, Subject, Window};
use sluicegate::time::Millis;

/// The limits of a subject.
///
/// One of them, the ledger, never refuses and never expires during a test. What remains of it tells how much was charged
/// before a call, and so the call's place in the order.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) limits: Vec<Limit>,
    /// The place of the ledger in `limits`.
    pub(crate) ledger: usize,
}

/// The units of the ledger before anything is charged.
pub(crate) const LEDGER: i64 = 1 << 52;

/// How many subjects there are.
pub(crate) const SUBJECTS: usize = 500;

/// The lowest numbers get most requests: 8 hot subjects covering all plans, then 56 warm ones.
pub(crate) const HOT: u64 = 8;
pub(crate) const WARM: u64 = 56;

/// The shortest time to live by Redis's own clock, in milliseconds. The clock of the load runs faster, so that windows
/// end during a run. A key that expired by Redis's clock while it still mattered by the load's clock would be a false
/// difference.
pub(crate) const SHORTEST_MS: u64 = HOUR;

/// Returns the subject of a number.
pub(crate) fn subject(number: usize) -> Subject {
    Subject::named(&format!("load:{number}"))
}

/// Returns the plan of a subject's number.
pub(crate) fn plan(number: usize) -> &'static Plan {
    static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(plans);
    &PLANS[number % PLANS.len()]
}

fn plans() -> Vec<Plan> {
    let mixes = [
        vec![
            ledger(),
            log("log", 200, HOUR),
            sliding("sliding", 300, 2 * HOUR),
            fixed("hour", 250, HOUR),
            month("month", 1500),
            bucket("bucket", 200, HOUR, 100),
            concurrency("inflight", 60, HOUR),
        ],
        vec![log("log", 40, HOUR), log("day", 400, 24 * HOUR), ledger(), bucket("bucket", 60, HOUR, 60)],
        vec![bucket("bucket", 10, HOUR, 20), concurrency("inflight", 5, HOUR), ledger()],
        vec![sliding("sliding", 50, HOUR), ledger(), fixed("day", 500, 24 * HOUR)],
        // A unit of this bucket has 3,601,000 fractions.
        vec![ledger(), fixed("hour", 100, HOUR), month("month", 300), bucket("bucket", 997, 3_601_000, 90)],
        vec![log("log", 10, HOUR), concurrency("inflight", 3, 2 * HOUR), ledger()],
    ];
    let place = |limits: &[Limit]| limits.iter().position(|limit| *limit == ledger()).unwrap();
    mixes.into_iter().map(|limits| Plan { ledger: place(&limits), limits }).collect()
}

/// One window has the largest length, ten years; in every test it ends in 2029.
fn ledger() -> Limit {
    Limit::fixed_window(name("ledger"), LEDGER.unsigned_abs(), Window::Span(Millis::new(3650 * 24 * HOUR))).unwrap()
}

fn log(text: &str, quota: u64, window: u64) -> Limit {
    Limit::sliding_log(name(text), quota, Millis::new(window)).unwrap()
}

fn sliding(text: &str, quota: u64, window: u64) -> Limit {
    Limit::sliding_window(name(text), quota, Millis::new(window)).unwrap()
}

fn fixed(text: &str, quota: u64, window: u64) -> Limit {
    Limit::fixed_window(name(text), quota, Window::Span(Millis::new(window))).unwrap()
}

fn month(text: &str, quota: u64) -> Limit {
    Limit::fixed_window(name(text), quota, Window::Month).unwrap()
}

fn bucket(text: &str, quota: u64, window: u64, burst: u64) -> Limit {
    Limit::token_bucket(name(text), quota, Millis::new(window), Some(burst)).unwrap()
}

fn concurrency(text: &str, quota: u64, lease: u64) -> Limit {
    Limit::concurrency(name(text), quota, Millis::new(lease)).unwrap()
}

fn name(text: &str) -> LimitName {
    LimitName::new(text).unwrap()
}

/// In milliseconds.
const HOUR: u64 = 3_600_000;
