//! Which clock decides.

use crate::redis::Argument;
use crate::time::Millis;

/// Whose clock judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The edge's: no further command, off by the skew between edges.
    Edge,
    /// Redis's: one more billed command a request, immune to skew.
    Redis,
}

/// When a check happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// At this instant of the caller's clock, since the Unix epoch. From 1 ms on.
    At(Millis),
    /// At the time of Redis's own clock: one more command.
    Redis,
}

impl Now {
    /// The time by which `clock` judges, for a caller whose own clock says `now`.
    #[must_use]
    pub fn from_clock(clock: Clock, now: Millis) -> Self {
        match clock {
            Clock::Edge => Now::At(now),
            Clock::Redis => Now::Redis,
        }
    }

    /// As the scripts read it.
    pub(crate) fn argument(self) -> Argument<'static> {
        Argument::Number(match self {
            Now::At(now) => now.get().max(1),
            Now::Redis => 0,
        })
    }
}
