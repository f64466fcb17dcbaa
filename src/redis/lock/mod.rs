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
//! use sluicegate::redis::cas::Expiry;
//! use sluicegate::redis::lock::{Attempt, Lock, Runtime, Write};
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
//! After an error that [leaves the outcome unknown](crate::redis::RedisError::outcome_is_unknown) it is unknown whether Redis has executed the
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

mod acquire;
mod backoff;
mod fencing;
mod guard;
mod keep_alive;
mod keys;
mod lease;
mod lock;
mod raw;
mod runtime;

pub use acquire::Attempt;
pub use fencing::{FencingToken, Release, Write};
pub use guard::{Guard, Loss, Renewal};
pub use lease::{Lease, LeaseError};
pub use lock::Lock;
pub use raw::{Acquisition, RawLock};
pub use runtime::Runtime;
