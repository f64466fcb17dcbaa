//! The calls of a lock alone: for holders that are elsewhere and watch their own clock, as those who come over HTTP.

use super::fencing::{FencingToken, Release, Write};
use super::keys::Keys;
use crate::redis::cas::Expiry;
use crate::redis::command::Command;
use crate::redis::error::RedisError;
use crate::redis::eval::{Argument, eval, run};
use crate::redis::script::{self, Dialect, Script};
use crate::redis::transport::Transport;
use crate::time::Millis;

/// A lock of one name, without a clock: it knows what Redis says, and not what that means for the holder's time.
/// See the [module](super) for owners, and for what is known when no answer comes.
#[derive(Debug)]
pub struct RawLock<T> {
    transport: T,
    dialect: Dialect,
    keys: Keys,
}

/// What became of an attempt to acquire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the lock may be busy, and if it is not, it stays taken"]
pub enum Acquisition {
    /// The owner holds the lock until the lease ends by Redis's clock.
    Acquired {
        /// Higher than that of every holder before.
        token: FencingToken,
    },
    /// Somebody else holds it.
    Busy {
        /// Until the lease in the way ends at the latest; `None`: the lock's key was made to never expire.
        free_in: Option<Millis>,
    },
}

impl<T: Transport> RawLock<T> {
    /// The lock named `name`, whatever characters the name has.
    pub fn new(transport: T, dialect: Dialect, name: &str) -> Self {
        RawLock { transport, dialect, keys: Keys::of(name) }
    }

    /// Tries once to take the lock for `owner`, a name of 1 byte or more, for `ttl`, from 1 ms on.
    ///
    /// # Errors
    /// A [`RedisError`].
    pub async fn acquire(&self, owner: &str, ttl: Millis) -> Result<Acquisition, RedisError> {
        let keys = [self.keys.lock(), self.keys.fence()];
        let arguments = [Argument::Text(owner), Argument::Number(ttl.get())];
        let numbers: [i64; 3] = self.eval(&script::LOCK_ACQUIRE, &keys, &arguments).await?;
        match numbers.map(u64::try_from) {
            [Ok(1), Ok(token @ 1..), Ok(0)] => Ok(Acquisition::Acquired { token: FencingToken::new(token) }),
            [Ok(0), Ok(0), free_in] => Ok(Acquisition::Busy { free_in: free_in.ok().map(Millis::new) }),
            _ => Err(RedisError::Shape { reason: format!("no attempt: {numbers:?}") }),
        }
    }

    /// Starts the lease anew, for `ttl` from 1 ms on. `false`: this owner does not hold the lock with this token.
    ///
    /// # Errors
    /// A [`RedisError`].
    pub async fn renew(&self, owner: &str, token: FencingToken, ttl: Millis) -> Result<bool, RedisError> {
        let arguments = [Argument::Text(owner), Argument::Number(token.get()), Argument::Number(ttl.get())];
        match self.eval::<u64>(&script::LOCK_RENEW, &[self.keys.lock()], &arguments).await? {
            0 => Ok(false),
            1 => Ok(true),
            renewed => Err(RedisError::Shape { reason: format!("no renewal: {renewed}") }),
        }
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// A [`RedisError`].
    pub async fn release(&self, owner: &str, token: FencingToken) -> Result<Release, RedisError> {
        let arguments = [Argument::Text(owner), Argument::Number(token.get())];
        match self.eval::<u64>(&script::LOCK_RELEASE, &[self.keys.lock()], &arguments).await? {
            1 => Ok(Release::Released),
            0 => Ok(Release::NotHeld),
            released => Err(RedisError::Shape { reason: format!("no release: {released}") }),
        }
    }

    /// Writes `new` as the lock's value `name`, unless a token higher than `token` is known or the lock has never
    /// handed out `token`.
    ///
    /// # Errors
    /// A [`RedisError`].
    pub async fn write(&self, token: FencingToken, name: &str, new: &str, expiry: Expiry) -> Result<Write, RedisError> {
        let keys = [self.keys.value(name), self.keys.newest(name), self.keys.fence()];
        let arguments = [Argument::Number(token.get()), Argument::Text(new), expiry.argument()];
        let numbers: [u64; 2] = self.eval(&script::FENCED_WRITE, &keys, &arguments).await?;
        match numbers {
            [1, newest] if newest == token.get() => Ok(Write::Written),
            [0, newest] => Ok(Write::Stale { newest: FencingToken::new(newest) }),
            _ => Err(RedisError::Shape { reason: format!("no write with token {token}: {numbers:?}") }),
        }
    }

    /// The lock's value `name`, if there is one.
    ///
    /// # Errors
    /// A [`RedisError`].
    pub async fn read(&self, name: &str) -> Result<Option<String>, RedisError> {
        run(&self.transport, Command::new("GET").text(&self.keys.value(name))).await
    }

    async fn eval<A: serde::de::DeserializeOwned>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Argument<'_>],
    ) -> Result<A, RedisError> {
        eval(&self.transport, script.in_dialect(self.dialect), keys, arguments).await
    }
}
