//! The script calls of a lock, without a clock: for remote holders that watch their own, such as HTTP clients.

use super::fencing::{FencingToken, Write};
use super::keys::Keys;
use crate::redis::cas::Expiry;
use crate::redis::command::Command;
use crate::redis::error::RedisError;
use crate::redis::eval::{Argument, eval, run};
use crate::redis::script::{self, Dialect, Script};
use crate::redis::transport::Transport;
use crate::time::Millis;

/// A named lock without a clock: it reports what Redis replies, but not how long the holder may rely on it.
///
/// See the [module](super) for owners and for calls without a reply.
#[derive(Debug)]
pub struct RawLock<T> {
    transport: T,
    dialect: Dialect,
    keys: Keys,
}

/// The outcome of [`RawLock::acquire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the lock may be busy; if it is not, it stays taken"]
pub enum Acquisition {
    /// The owner holds the lock until the lease ends by Redis's clock.
    Acquired {
        /// The holder's token, higher than the token of every earlier holder.
        token: FencingToken,
    },
    /// Another owner holds the lock.
    Busy {
        /// The time until the current lease ends; `None` if the lock's key was changed to never expire.
        free_in: Option<Millis>,
    },
}

/// The outcome of [`RawLock::release`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The lock was released.
    Released,
    /// This token did not hold the lock: it was already released, expired, or acquired by another owner. Nothing
    /// changed.
    NotHeld,
}

impl<T: Transport> RawLock<T> {
    /// Creates the lock named `name`. Any characters are allowed.
    pub fn new(transport: T, dialect: Dialect, name: &str) -> Self {
        RawLock { transport, dialect, keys: Keys::of(name) }
    }

    /// Tries once to acquire the lock for `owner`, a name of at least 1 byte, for `ttl`, at least 1 ms.
    ///
    /// # Errors
    /// Returns a [`RedisError`].
    pub async fn acquire(&self, owner: &str, ttl: Millis) -> Result<Acquisition, RedisError> {
        let keys = [self.keys.lock(), self.keys.fence()];
        let arguments = [Argument::Text(owner), Argument::Number(ttl.get())];
        let numbers: [i64; 3] = self.eval(&script::LOCK_ACQUIRE, &keys, &arguments).await?;
        match numbers.map(u64::try_from) {
            [Ok(1), Ok(token @ 1..), Ok(0)] => Ok(Acquisition::Acquired { token: FencingToken::new(token) }),
            [Ok(0), Ok(0), free_in] => Ok(Acquisition::Busy { free_in: free_in.ok().map(Millis::new) }),
            _ => Err(RedisError::Shape { reason: format!("unexpected reply of lock_acquire.lua: {numbers:?}") }),
        }
    }

    /// Renews the lease for `ttl`, at least 1 ms. Returns `false` if this owner does not hold the lock with
    /// this token.
    ///
    /// # Errors
    /// Returns a [`RedisError`].
    pub async fn renew(&self, owner: &str, token: FencingToken, ttl: Millis) -> Result<bool, RedisError> {
        let arguments = [Argument::Text(owner), Argument::Number(token.get()), Argument::Number(ttl.get())];
        match self.eval::<u64>(&script::LOCK_RENEW, &[self.keys.lock()], &arguments).await? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(RedisError::Shape { reason: format!("unexpected reply of lock_renew.lua: {other}") }),
        }
    }

    /// Releases the lock.
    ///
    /// # Errors
    /// Returns a [`RedisError`].
    pub async fn release(&self, owner: &str, token: FencingToken) -> Result<Release, RedisError> {
        let arguments = [Argument::Text(owner), Argument::Number(token.get())];
        match self.eval::<u64>(&script::LOCK_RELEASE, &[self.keys.lock()], &arguments).await? {
            1 => Ok(Release::Released),
            0 => Ok(Release::NotHeld),
            other => Err(RedisError::Shape { reason: format!("unexpected reply of lock_release.lua: {other}") }),
        }
    }

    /// Writes `new` as the lock's value `name`, unless a token higher than `token` is known or the lock never
    /// issued `token`.
    ///
    /// # Errors
    /// Returns a [`RedisError`].
    pub async fn write(&self, token: FencingToken, name: &str, new: &str, expiry: Expiry) -> Result<Write, RedisError> {
        let keys = [self.keys.value(name), self.keys.newest(name), self.keys.fence()];
        let arguments = [Argument::Number(token.get()), Argument::Text(new), expiry.argument()];
        let numbers: [u64; 2] = self.eval(&script::FENCED_WRITE, &keys, &arguments).await?;
        match numbers {
            [1, newest] if newest == token.get() => Ok(Write::Written),
            [0, newest] => Ok(Write::Stale { newest: FencingToken::new(newest) }),
            _ => {
                let reason = format!("unexpected reply of fenced_write.lua to token {token}: {numbers:?}");
                Err(RedisError::Shape { reason })
            }
        }
    }

    /// Returns the lock's value `name`, if it exists.
    ///
    /// # Errors
    /// Returns a [`RedisError`].
    pub async fn read(&self, name: &str) -> Result<Option<String>, RedisError> {
        run(&self.transport, Command::new("GET").text(&self.keys.value(name))).await
    }

    async fn eval<O: serde::de::DeserializeOwned>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Argument<'_>],
    ) -> Result<O, RedisError> {
        eval(&self.transport, script.in_dialect(self.dialect), keys, arguments).await
    }
}
