//! The fencing token, and the outcome of a write that it guards.

use std::fmt;

/// A fencing token, from 1: each holder of a lock gets a higher one than the holder before.
///
/// A holder may pass it to another process that writes on its behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(u64);

/// The outcome of a guarded write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a write may have been refused"]
pub enum Write {
    /// The value was written.
    Written,
    /// The write was refused: a higher token is known, the lock never issued this token, or the lock has lost
    /// its counter.
    Stale {
        /// The highest known token; 0 if there is none.
        newest: FencingToken,
    },
}

impl FencingToken {
    /// Creates a token from a number received from elsewhere.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        FencingToken(number)
    }

    /// Returns the token's number.
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
