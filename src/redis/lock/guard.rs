//! The guard of a held lock: it knows how long the holder may rely on the lock, and why it was lost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fencing::{FencingToken, Write};
use super::lock::Lock;
use super::raw::Release;
use super::runtime::Runtime;
use crate::redis::cas::Expiry;
use crate::redis::error::RedisError;
use crate::redis::transport::Transport;
use crate::time::Millis;

/// A held lock.
///
/// Dropping the guard sends nothing: the lock stays taken until its lease ends. [`Guard::release`] releases it.
#[derive(Debug)]
#[must_use = "the lock stays taken until it is released or its lease ends"]
pub struct Guard<'a, T, R> {
    pub(super) lock: &'a Lock<T, R>,
    owner: String,
    token: FencingToken,
    hold: Mutex<Hold>,
}

/// The state of the lock as its holder knows it.
#[derive(Debug)]
enum Hold {
    /// Held until this time, by the holder's clock.
    Until(Millis),
    Lost(Loss),
}

/// The outcome of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the lock may be lost"]
pub enum Renewal {
    /// The lease was renewed.
    Renewed,
    /// The lock is lost. This is final for the guard.
    Lost(Loss),
}

/// Why a lock is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The lease has ended by the holder's clock. In Redis it may last a moment longer.
    Ended {
        /// The error that kept [`Guard::keep_alive`] from renewing in time.
        cause: Option<RedisError>,
    },
    /// Redis refused a renewal: this token does not hold the lock, because its owner has acquired it again or
    /// the lock's key was deleted early.
    Refused,
    /// The holder released the lock.
    Released,
}

impl<'a, T: Transport, R: Runtime> Guard<'a, T, R> {
    pub(super) fn new(lock: &'a Lock<T, R>, owner: &str, token: FencingToken, until: Millis) -> Self {
        Guard { lock, owner: owner.to_owned(), token, hold: Mutex::new(Hold::Until(until)) }
    }

    /// Returns the holder's fencing token.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// Returns how much of the lease is left by the holder's clock. Until it is [`Millis::ZERO`], no other
    /// owner holds the lock.
    pub fn remaining(&self) -> Millis {
        let now = self.lock.runtime.now();
        match *self.hold_at(now) {
            Hold::Until(until) => Millis::new(until.get() - now.get()),
            Hold::Lost(_) => Millis::ZERO,
        }
    }

    /// Returns whether the lock is lost. This is final for the guard.
    pub fn is_lost(&self) -> bool {
        self.loss().is_some()
    }

    /// Returns why the lock is lost, if it is.
    pub fn loss(&self) -> Option<Loss> {
        match &*self.hold_at(self.lock.runtime.now()) {
            Hold::Until(_) => None,
            Hold::Lost(loss) => Some(loss.clone()),
        }
    }

    /// Renews the lease. Sends nothing if the lock is lost.
    ///
    /// # Errors
    /// Returns a [`RedisError`]. The lease then counts as not renewed and runs on to its end.
    pub async fn renew(&self) -> Result<Renewal, RedisError> {
        if let Some(loss) = self.loss() {
            return Ok(Renewal::Lost(loss));
        }
        let sent = self.lock.runtime.now();
        let renewed = self.lock.raw.renew(&self.owner, self.token, self.lock.lease.ttl()).await?;
        let until = self.lock.lease.ends(sent);
        if !renewed {
            self.lose(Loss::Refused);
        } else if let Hold::Until(known) = &mut *self.hold_at(self.lock.runtime.now()) {
            // A reply after the end of the lease changes nothing: the holder may already have seen the loss.
            *known = until.max(*known);
        }
        Ok(self.loss().map_or(Renewal::Renewed, Renewal::Lost))
    }

    /// Releases the lock. The guard counts as lost as soon as this is called, even if the call fails.
    ///
    /// # Errors
    /// Returns a [`RedisError`]. The lock may then stay taken until the lease ends. Releasing again is harmless.
    pub async fn release(&self) -> Result<Release, RedisError> {
        self.lose(Loss::Released);
        self.lock.raw.release(&self.owner, self.token).await
    }

    /// Writes `new` as the lock's value `name`: [`Lock::write`] with this guard's token.
    ///
    /// Redis decides by the token, not by a clock, so the write is safe even if the holder was paused.
    ///
    /// # Errors
    /// As [`Lock::write`].
    pub async fn write(&self, name: &str, new: &str, expiry: Expiry) -> Result<Write, RedisError> {
        self.lock.write(self.token, name, new, expiry).await
    }

    /// Returns the loss, if there is one, and records `failure` as its cause if it has none.
    pub(super) fn loss_with_cause(&self, failure: Option<RedisError>) -> Option<Loss> {
        let mut hold = self.hold_at(self.lock.runtime.now());
        if let Hold::Lost(Loss::Ended { cause: cause @ None }) = &mut *hold {
            *cause = failure;
        }
        match &*hold {
            Hold::Until(_) => None,
            Hold::Lost(loss) => Some(loss.clone()),
        }
    }

    /// Returns the state at `now`. A lease that has ended is marked as lost, so it stays lost if the clock goes
    /// back.
    fn hold_at(&self, now: Millis) -> MutexGuard<'_, Hold> {
        // The mutex cannot be poisoned: nothing panics while it is locked.
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*hold, Hold::Until(until) if until <= now) {
            *hold = Hold::Lost(Loss::Ended { cause: None });
        }
        hold
    }

    /// Marks the lock as lost. The first loss is kept.
    fn lose(&self, loss: Loss) {
        let mut hold = self.hold_at(self.lock.runtime.now());
        if let Hold::Until(_) = *hold {
            *hold = Hold::Lost(loss);
        }
    }
}
