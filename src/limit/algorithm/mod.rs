//! The algorithms: one pure state machine per file. No clock, no I/O, integers only.
//!
//! `lua/check.lua` implements the same algorithms, and both return the same integers. [`State`] is the state of
//! any one of them, `calendar` finds the end of a month, `arithmetic` is shared.
//!
//! Instants (milliseconds since the epoch) and durations (milliseconds) are plain integers. The caller ensures
//! that `now` never goes backwards. No input causes a panic.
//!
//! Each state machine stores the numbers of its limit and its state. It says how long a request must wait, the
//! largest cost it admits now, and when the full quota is available again. A caller charges only requests that
//! need not wait.

mod arithmetic;
pub mod calendar;
mod concurrency;
mod fixed_window;
mod sliding_log;
mod sliding_window;
mod state;
mod token_bucket;

pub use concurrency::Concurrency;
pub use fixed_window::FixedWindow;
pub use sliding_log::SlidingLog;
pub use sliding_window::SlidingWindow;
pub use state::State;
pub use token_bucket::TokenBucket;
