//! Acquires a lock, with one attempt or with several.

use super::guard::Guard;
use super::lock::Lock;
use super::raw::Acquisition;
use super::runtime::Runtime;
use crate::redis::error::RedisError;
use crate::redis::transport::Transport;
use crate::time::Millis;

/// The outcome of an attempt to acquire a lock.
#[derive(Debug)]
#[must_use = "the lock may be busy; if it is not, it stays taken"]
pub enum Attempt<'a, T, R> {
    /// The lock is held until the guard reports its loss.
    Acquired(Guard<'a, T, R>),
    /// Another owner holds the lock, or the reply arrived after the lease had ended.
    Busy {
        /// The time until the current lease ends; `None` if the lock's key was changed to never expire.
        free_in: Option<Millis>,
    },
}

impl<T: Transport, R: Runtime> Lock<T, R> {
    /// Tries once to acquire the lock for `owner`, a name of at least 1 byte.
    ///
    /// # Errors
    /// Returns a [`RedisError`]. If it [leaves the outcome unknown](RedisError::outcome_is_unknown), `owner`
    /// may hold the lock until the lease ends; it may acquire again.
    pub async fn try_acquire(&self, owner: &str) -> Result<Attempt<'_, T, R>, RedisError> {
        let sent = self.runtime.now();
        match self.raw.acquire(owner, self.lease.ttl()).await? {
            Acquisition::Acquired { token } => {
                let guard = Guard::new(self, owner, token, self.lease.ends(sent));
                let too_late = guard.is_lost();
                Ok(if too_late { Attempt::Busy { free_in: Some(Millis::ZERO) } } else { Attempt::Acquired(guard) })
            }
            Acquisition::Busy { free_in } => Ok(Attempt::Busy { free_in }),
        }
    }

    /// Tries to acquire the lock for `owner`, at least once, until it succeeds or `max_wait` has passed.
    ///
    /// Pauses between attempts grow and are random, so that waiting owners do not retry in step. There is no
    /// queue: the first attempt after the lock is free succeeds.
    ///
    /// # Errors
    /// As [`Lock::try_acquire`]. An error ends the wait; it is not retried.
    pub async fn acquire(&self, owner: &str, max_wait: Millis) -> Result<Attempt<'_, T, R>, RedisError> {
        let started = self.runtime.now().get();
        for attempt in 0.. {
            let outcome = self.try_acquire(owner).await?;
            let Attempt::Busy { free_in } = outcome else { return Ok(outcome) };
            let waited = self.runtime.now().get().saturating_sub(started);
            let left = max_wait.get().saturating_sub(waited);
            if left == 0 {
                return Ok(outcome);
            }
            let pause = super::backoff::pause(attempt, free_in, self.runtime.random());
            self.runtime.sleep(Millis::new(pause.get().min(left))).await;
        }
        Ok(Attempt::Busy { free_in: None })
    }
}
