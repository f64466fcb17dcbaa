//! The in-memory limiter.

mod limiter;
mod subject_state;

pub use limiter::{Capacity, MemoryLimiter};
