//! The in-memory limiter: the verdicts of [`crate::limiter`] without Redis.
//!
//! It is the outage fallback, the simulator of the browser demo and the oracle of the tests.
//!
//! - `limiter`: [`MemoryLimiter`], bounded by [`Capacity`]; evicts subjects.
//! - `batch`: the check of requests; implements `lua/check.lua` in Rust.
//! - `subject_state`: the limits of one subject.

mod batch;
mod limiter;
mod subject_state;

pub(crate) use batch::budget;
pub use limiter::{Capacity, MemoryLimiter};
