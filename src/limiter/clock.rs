//! The clock that decides, and the time of a check.

use crate::redis::Argument;
use crate::time::Millis;

/// The clock that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The edge's clock. It needs no extra command, but clocks of different edges are skewed.
    Edge,
    /// Redis's clock. It needs one more billed command per request and is immune to skew.
    Redis,
}

/// The time of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// An instant of the caller's clock, in milliseconds since the Unix epoch; 0 is taken as 1.
    At(Millis),
    /// The time of Redis's own clock, which needs one more command.
    Redis,
}

impl Now {
    /// Returns the time of a check decided by `clock`; `now` is the caller's own time.
    #[must_use]
    pub fn from_clock(clock: Clock, now: Millis) -> Self {
        match clock {
            Clock::Edge => Now::At(now),
            Clock::Redis => Now::Redis,
        }
    }

    /// Returns `now_ms` of the scripts, which read 0 as "use the server's time".
    pub(crate) fn argument(self) -> Argument<'static> {
        Argument::Number(match self {
            Now::At(now) => now.get().max(1),
            Now::Redis => 0,
        })
    }
}
