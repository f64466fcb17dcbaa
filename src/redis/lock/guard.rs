//! A lock that is held, and how its holder learns that it is not any more.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fencing::{FencingToken, Release, Write};
use super::lock::Lock;
use super::runtime::Runtime;
use crate::redis::cas::Expiry;
use crate::redis::error::RedisError;
use crate::redis::transport::Transport;
use crate::time::Millis;

/// The holder's side of a lock.
///
/// Dropping it sends nothing: the lock stays taken until its lease ends. [`Guard::release`] gives it back.
#[derive(Debug)]
#[must_use = "the lock stays taken until it is released or its lease ends"]
pub struct Guard<'a, T, R> {
    pub(super) lock: &'a Lock<T, R>,
    owner: String,
    token: FencingToken,
    hold: Mutex<Hold>,
}

/// What the holder knows about its lock.
#[derive(Debug)]
enum Hold {
    /// It is held until then, by the holder's clock.
    Until(Millis),
    Lost(Loss),
}

/// What became of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the lock may be lost"]
pub enum Renewal {
    /// The lease has begun anew.
    Renewed,
    /// The lock is lost, for good: a guard that has lost it once never holds it again.
    Lost(Loss),
}

/// Why a lock is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// By the holder's own clock the lease is over. Redis may still keep others out for a moment.
    Ended {
        /// The failure that kept [`Guard::keep_alive`] from renewing in time.
        cause: Option<RedisError>,
    },
    /// Redis says that this token does not hold the lock: its owner has acquired anew, or the lock's key is
    /// gone before its time.
    Refused,
    /// The holder has released it.
    Released,
}

impl<'a, T: Transport, R: Runtime> Guard<'a, T, R> {
    pub(super) fn new(lock: &'a Lock<T, R>, owner: &str, token: FencingToken, until: Millis) -> Self {
        Guard { lock, owner: owner.to_owned(), token, hold: Mutex::new(Hold::Until(until)) }
    }

    /// The token of this holder.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// How much of the lease is left by the holder's clock. While it is not [`Millis::ZERO`], nobody else has the
    /// lock.
    pub fn remaining(&self) -> Millis {
        let now = self.lock.runtime.now();
        match *self.hold_at(now) {
            Hold::Until(until) => Millis::new(until.get() - now.get()),
            Hold::Lost(_) => Millis::ZERO,
        }
    }

    /// Whether the holder must consider the lock lost. Once it is, it stays so.
    pub fn is_lost(&self) -> bool {
        self.loss().is_some()
    }

    /// Why the lock is lost, if it is.
    pub fn loss(&self) -> Option<Loss> {
        match &*self.hold_at(self.lock.runtime.now()) {
            Hold::Until(_) => None,
            Hold::Lost(loss) => Some(loss.clone()),
        }
    }

    /// Starts the lease anew. A guard that has lost the lock sends nothing.
    ///
    /// # Errors
    /// A [`RedisError`]: the lease counts as not renewed, and goes on to its end.
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
            // An answer that comes after the end changes nothing: the holder may know of the end by now.
            *known = until.max(*known);
        }
        Ok(self.loss().map_or(Renewal::Renewed, Renewal::Lost))
    }

    /// Gives the lock back. The guard counts as lost from the beginning of the call, whatever comes of it.
    ///
    /// # Errors
    /// A [`RedisError`]: the lock may stay taken until the lease ends. Releasing again is harmless.
    pub async fn release(&self) -> Result<Release, RedisError> {
        self.lose(Loss::Released);
        self.lock.raw.release(&self.owner, self.token).await
    }

    /// Writes `new` as the lock's value `name`: [`Lock::write`] with this guard's token. It asks Redis and not the
    /// clock, so it is exact for a holder that was paused, too.
    ///
    /// # Errors
    /// As [`Lock::write`].
    pub async fn write(&self, name: &str, new: &str, expiry: Expiry) -> Result<Write, RedisError> {
        self.lock.write(self.token, name, new, expiry).await
    }

    /// The loss that is known, with the failure that led to it.
    pub(super) fn blame(&self, failure: Option<RedisError>) -> Option<Loss> {
        let mut hold = self.hold_at(self.lock.runtime.now());
        if let Hold::Lost(Loss::Ended { cause: cause @ None }) = &mut *hold {
            *cause = failure;
        }
        match &*hold {
            Hold::Until(_) => None,
            Hold::Lost(loss) => Some(loss.clone()),
        }
    }

    /// What is known at `now`: a lease that has ended is lost from here on, also if the clock is set back.
    fn hold_at(&self, now: Millis) -> MutexGuard<'_, Hold> {
        // Nothing panics while it is locked.
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*hold, Hold::Until(until) if until <= now) {
            *hold = Hold::Lost(Loss::Ended { cause: None });
        }
        hold
    }

    /// The first loss is the one that stays.
    fn lose(&self, loss: Loss) {
        let mut hold = self.hold_at(self.lock.runtime.now());
        if let Hold::Until(_) = *hold {
            *hold = Hold::Lost(loss);
        }
    }
}
