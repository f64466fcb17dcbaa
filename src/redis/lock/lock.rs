//! A named lock: its construction, and reads and writes of the values that it guards.

use super::fencing::{FencingToken, Write};
use super::lease::Lease;
use super::raw::RawLock;
use super::runtime::Runtime;
use crate::redis::cas::Expiry;
use crate::redis::error::RedisError;
use crate::redis::script::Dialect;
use crate::redis::transport::Transport;

/// A named lock. All users of the same name on the same Redis share it.
#[derive(Debug)]
pub struct Lock<T, R> {
    pub(super) raw: RawLock<T>,
    pub(super) runtime: R,
    pub(super) lease: Lease,
}

impl<T: Transport, R: Runtime> Lock<T, R> {
    /// Creates the lock named `name`. Any characters are allowed.
    ///
    /// All owners should use the same `lease`, but each holder's own lease applies.
    pub fn new(transport: T, runtime: R, dialect: Dialect, name: &str, lease: Lease) -> Self {
        Lock { raw: RawLock::new(transport, dialect, name), runtime, lease }
    }

    /// Writes `new` as the lock's value `name`, unless a token higher than `token` was issued or has written it.
    ///
    /// So the write succeeds only until the next holder acquires the lock; that holder's reads stay valid. It
    /// also succeeds after the writer's lease has ended, if nobody has acquired the lock since.
    ///
    /// # Errors
    /// Returns a [`RedisError`]. If it [leaves the outcome unknown](RedisError::outcome_is_unknown), the write
    /// may still succeed, but never after a higher token was issued.
    pub async fn write(&self, token: FencingToken, name: &str, new: &str, expiry: Expiry) -> Result<Write, RedisError> {
        self.raw.write(token, name, new, expiry).await
    }

    /// Returns the lock's value `name`, if it exists. Only the holder can rely on the value not changing.
    ///
    /// # Errors
    /// Returns a [`RedisError`].
    pub async fn read(&self, name: &str) -> Result<Option<String>, RedisError> {
        self.raw.read(name).await
    }
}
