//! A named lock.

use super::fencing::{FencingToken, Write};
use super::lease::Lease;
use super::raw::RawLock;
use super::runtime::Runtime;
use crate::redis::cas::Expiry;
use crate::redis::error::RedisError;
use crate::redis::script::Dialect;
use crate::redis::transport::Transport;

/// A lock of one name. Whoever uses the same name on the same Redis shares it.
#[derive(Debug)]
pub struct Lock<T, R> {
    pub(super) raw: RawLock<T>,
    pub(super) runtime: R,
    pub(super) lease: Lease,
}

impl<T: Transport, R: Runtime> Lock<T, R> {
    /// The lock named `name`, whatever characters the name has.
    ///
    /// All holders should use the same `lease`; each lives by its own.
    pub fn new(transport: T, runtime: R, dialect: Dialect, name: &str, lease: Lease) -> Self {
        Lock { raw: RawLock::new(transport, dialect, name), runtime, lease }
    }

    /// Writes `new` as the lock's value `name`, unless a token higher than `token` has written it or was handed
    /// out.
    ///
    /// So a write lands only while nobody has held the lock after the writer: not after the next holder has
    /// read the value, either. It does land when the writer's lease is over and nobody has come since.
    ///
    /// # Errors
    /// A [`RedisError`]. After one that [leaves the outcome unknown](RedisError::outcome_is_unknown) the write may still land, but
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
