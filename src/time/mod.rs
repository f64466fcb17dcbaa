//! Time in whole milliseconds, and RFC 3339 timestamps. There is no clock here.

mod millis;
mod timestamp;

pub use millis::{Millis, NotADuration};
pub use timestamp::{NotATimestamp, Timestamp};
