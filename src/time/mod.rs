//! Time in whole milliseconds, and RFC 3339 timestamps. No clock: every function takes `now` as a parameter.
//!
//! - `millis`: [`Millis`], the only time type, for durations and instants.
//! - `timestamp`: [`Timestamp`], an instant as text in RFC 3339.
//!
//! Uses no other room.

mod millis;
mod timestamp;

pub use millis::{InvalidDuration, Millis};
pub use timestamp::{InvalidTimestamp, Timestamp};
