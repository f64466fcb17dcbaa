//! Writes that a lock guards.

use std::fmt;

use super::{Lock, Runtime};
use crate::cas::Expiry;
use crate::redis::{RedisError, Transport};

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

impl<T: Transport, R: Runtime> Lock<T, R> {
    /// Writes `new` as the lock's value `name`, unless a token higher than `token` has written it or was handed
    /// out.
    ///
    /// So a write lands only while nobody has held the lock after the writer: not after the next holder has
    /// read the value, either. It does land when the writer's lease is over and nobody has come since.
    ///
    /// # Errors
    /// A [`RedisError`]. After one that [leaves it open](RedisError::leaves_it_open) the write may still land, but
    /// never after a higher token was handed out.
    pub async fn write(&self, token: FencingToken, name: &str, new: &str, expiry: Expiry) -> Result<Write, RedisError> {
        self.raw.write(token, name, new, expiry).await
    }

    /// The lock's value `name`, if there is one. Anybody may read; only a holder knows that it stays so.
    ///
    /// # Errors
    /// A [`RedisError`].
    pub async fn read(&self, name: &str) -> Result<Option<String>, RedisError> {
        self.raw.read(name).await
    }
}
