//! Writes that a lock guards.

use std::fmt;

/// A fencing token: of two holders of one lock, the later has the higher. From 1.
///
/// It may be handed to whoever writes for the holder, another process as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(u64);

/// What became of a guarded write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a write may have been refused"]
pub enum Write {
    /// The value is written.
    Written,
    /// Nothing is written: the writer has lost the lock to a holder with a higher token, or the lock has never handed
    /// out its token, or has lost its counter since.
    Stale {
        /// The highest token known; 0 if none is.
        newest: FencingToken,
    },
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The lock is free.
    Released,
    /// This token did not hold it: it was released before, has ended, or was taken by another. That is as it was.
    NotHeld,
}

impl FencingToken {
    /// The token of this number, as it came from elsewhere.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        FencingToken(number)
    }

    /// The token's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
