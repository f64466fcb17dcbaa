//! A lock with a lease and a fencing token, on one Redis.
//!
//! A lock ends by itself when its holder dies, so a holder that was only slow may meet the next one. Two
//! things keep them apart. The holder's own clock ends its lease before Redis does: it starts the lease when
//! it sends the request, not when the answer comes, and leaves a margin for clocks that run differently
//! ([`Lease`]). And where the holder cannot look at its clock in time (it is paused, its write is under way),
//! every acquire hands out a higher [`FencingToken`], and [`Guard::write`] lands only as long as no higher one
//! is known (Martin Kleppmann, "How to do distributed locking", 2016).
//!
//! ```
//! use sluicegate::cas::Expiry;
//! use sluicegate::lock::{Attempt, Lock, Runtime, Write};
//! use sluicegate::redis::{RedisError, Transport};
//! use sluicegate::time::Millis;
//!
//! async fn publish<T: Transport, R: Runtime>(lock: &Lock<T, R>, worker: &str) -> Result<bool, RedisError> {
//!     let Attempt::Acquired(guard) = lock.acquire(worker, Millis::from_secs(5)).await? else { return Ok(false) };
//!     // A longer work runs beside `guard.keep_alive()`, in a `select!` of the caller's.
//!     let write = guard.write("page", "hello", Expiry::Never).await?;
//!     guard.release().await?;
//!     Ok(write == Write::Written)
//! }
//! ```
//!
//! # Owners
//!
//! An owner's id names one holder: one task, not one machine. An owner that acquires a lock which it holds
//! already gets a new lease and a new token, and the guard before it is lost at its next renewal: so whoever
//! lost an answer may always ask again, and two that share an id by mistake are still told apart by the fence.
//!
//! # When no answer comes
//!
//! After an error that [leaves it open](RedisError::leaves_it_open) it is unknown whether Redis has executed the
//! call, or will yet. Every call may be repeated by the same owner:
//!
//! - acquire: the owner may hold the lock without knowing. Acquiring again is safe; not doing so leaves the
//!   lock taken until the lease ends. If the first call comes through last, the guard is lost, visibly.
//! - renew: the lease counts as not renewed.
//! - release: the lock may stay taken until the lease ends.
//! - write: it may still land, but never after a higher token is known.
//!
//! # What Redis must keep
//!
//! The counter and the newest token of each value never expire. A Redis that evicts keys without a time to
//! live (`maxmemory-policy allkeys-*`), or a failover to a replica that has not seen the last acquire, can lose
//! them: then a token may be handed out twice. The token beside a value still refuses lower ones.

mod backoff;
mod guard;
mod keep_alive;
mod keys;
mod lease;
mod raw;
mod runtime;
mod write;

pub use guard::{Guard, Loss, Release, Renewal};
pub use lease::{Lease, LeaseError};
pub use raw::{Acquisition, RawLock};
pub use runtime::Runtime;
pub use write::{FencingToken, Write};

use crate::redis::{RedisError, Transport};
use crate::script::Spelling;
use crate::time::Millis;

/// A lock of one name. Whoever uses the same name on the same Redis shares it.
#[derive(Debug)]
pub struct Lock<T, R> {
    raw: RawLock<T>,
    runtime: R,
    lease: Lease,
}

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
    /// The lock named `name`, whatever characters the name has.
    ///
    /// All holders should use the same `lease`; each lives by its own.
    pub fn new(transport: T, runtime: R, spelling: Spelling, name: &str, lease: Lease) -> Self {
        Lock { raw: RawLock::new(transport, spelling, name), runtime, lease }
    }

    /// Tries once to take the lock for `owner`, a name of 1 byte or more.
    ///
    /// # Errors
    /// A [`RedisError`]. After one that [leaves it open](RedisError::leaves_it_open), `owner` may hold the lock
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
            let pause = backoff::pause(attempt, free_in, self.runtime.random());
            self.runtime.sleep(Millis::new(pause.get().min(left))).await;
        }
        Ok(Attempt::Busy { free_in: None })
    }
}
