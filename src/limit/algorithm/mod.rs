//! The algorithms, each a pure state machine in a file of its own: no clock, no I/O, integers only.
//!
//! `lua/check.lua` does the same in Redis, and the two agree to the last integer of every answer.
//! Instants are milliseconds since the epoch and spans are milliseconds, both as plain integers; `now` never goes
//! backwards for a machine, which is its caller's to see to. No input makes a machine panic.
//!
//! Every machine holds the numbers of its limit and its state, and answers the same questions: how long a request
//! must wait, what a further one could cost, when the quota is whole again. Only `charge` changes the state, and
//! only a request that need not wait may be charged.

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
