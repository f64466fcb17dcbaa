//! Acquiring a lock.

use super::guard::Guard;
use super::lock::Lock;
use super::raw::Acquisition;
use super::runtime::Runtime;
use crate::redis::error::RedisError;
use crate::redis::transport::Transport;
use crate::time::Millis;

/// What became of an attempt to acquire.
#[derive(Debug)]
#[must_use = "the lock may be busy, and if it is not, it stays taken"]
pub enum Attempt<'a, T, R> {
    /// The lock is held until the guard says otherwise.
    Acquired(Guard<'a, T, R>),
    /// Somebody else holds it, or the answer took as long as the lease and came too late.
    Busy {
        /// Until the lease in the way ends at the latest; `None`: the lock's key was made to never expire.
        free_in: Option<Millis>,
    },
}

impl<T: Transport, R: Runtime> Lock<T, R> {
    /// Tries once to take the lock for `owner`, a name of 1 byte or more.
    ///
    /// # Errors
    /// A [`RedisError`]. After one that [leaves the outcome unknown](RedisError::outcome_is_unknown), `owner` may hold the lock
    /// for a lease; it may acquire again.
    pub async fn try_acquire(&self, owner: &str) -> Result<Attempt<'_, T, R>, RedisError> {
        let sent = self.runtime.now();
        match self.raw.acquire(owner, self.lease.ttl()).await? {
            Acquisition::Acquired { token } => {
                let guard = Guard::new(self, owner, token, self.lease.ends(sent));
                let late = guard.is_lost();
                Ok(if late { Attempt::Busy { free_in: Some(Millis::ZERO) } } else { Attempt::Acquired(guard) })
            }
            Acquisition::Busy { free_in } => Ok(Attempt::Busy { free_in }),
        }
    }

    /// Tries to take the lock for `owner` until `patience` is over, at least once, with pauses that grow and are
    /// random, so that those who wait do not come together. Nobody waits in a line: who asks first after
    /// the lock is free, gets it.
    ///
    /// # Errors
    /// As [`Lock::try_acquire`], at once: no failed attempt is repeated here.
    pub async fn acquire(&self, owner: &str, patience: Millis) -> Result<Attempt<'_, T, R>, RedisError> {
        let begun = self.runtime.now().get();
        for attempt in 0.. {
            let outcome = self.try_acquire(owner).await?;
            let Attempt::Busy { free_in } = outcome else { return Ok(outcome) };
            let waited = self.runtime.now().get().saturating_sub(begun);
            let left = patience.get().saturating_sub(waited);
            if left == 0 {
                return Ok(outcome);
            }
            let pause = super::backoff::pause(attempt, free_in, self.runtime.random());
            self.runtime.sleep(Millis::new(pause.get().min(left))).await;
        }
        Ok(Attempt::Busy { free_in: None })
    }
}
