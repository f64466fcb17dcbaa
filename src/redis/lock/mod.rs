//! A lock with a lease and a fencing token, on one Redis.
//!
//! A lock expires if its holder dies, so a slow holder may overlap with the next one. Two mechanisms protect
//! against this. First, the lease ends for the holder before it ends in Redis: the holder counts from when it
//! sends the request, and subtracts a margin for clock drift ([`Lease`]). Second, for a holder that cannot
//! check its clock in time (it is paused, or its write is in flight), every acquire issues a higher
//! [`FencingToken`], and [`Guard::write`] succeeds only while no higher token is known (Martin Kleppmann, "How
//! to do distributed locking", 2016).
//!
//! - `lock`: [`Lock`], a lock with a lease; `acquire` its attempts, `backoff` the pauses between them.
//! - `guard`: [`Guard`], a lock that is held; `keep_alive` renews it in the background.
//! - `lease`: [`Lease`], how long a lock is held.
//! - `fencing`: [`FencingToken`] and the outcome of a guarded write.
//! - `raw`: [`RawLock`], the script calls without a clock.
//! - `keys`: the Redis keys of a lock.
//! - `runtime`: [`Runtime`], the clock and the randomness that a lock needs.
//!
//! ```
//! use sluicegate::redis::cas::Expiry;
//! use sluicegate::redis::lock::{Attempt, Lock, Runtime, Write};
//! use sluicegate::redis::{RedisError, Transport};
//! use sluicegate::time::Millis;
//!
//! async fn publish<T: Transport, R: Runtime>(lock: &Lock<T, R>, worker: &str) -> Result<bool, RedisError> {
//!     let Attempt::Acquired(guard) = lock.acquire(worker, Millis::from_secs(5)).await? else { return Ok(false) };
//!     // For longer work, run `guard.keep_alive()` concurrently, in one `select!` with the work.
//!     let write = guard.write("page", "hello", Expiry::Never).await?;
//!     guard.release().await?;
//!     Ok(write == Write::Written)
//! }
//! ```
//!
//! # Owners
//!
//! An owner id identifies one holder: one task, not one machine. If an owner acquires a lock that it already
//! holds, it gets a new lease and a new token, and its previous guard is lost at the next renewal. So an owner
//! that missed a reply may always acquire again, and the fencing token still separates two holders that share
//! an id by mistake.
//!
//! # When no reply arrives
//!
//! An error may [leave the outcome unknown](crate::redis::RedisError::outcome_is_unknown): the call may have
//! run, or may still run. The same owner may repeat every call:
//!
//! - acquire: the owner may hold the lock without knowing it. Acquiring again is safe; otherwise the lock stays
//!   taken until the lease ends. If Redis runs the first call last, the guard of the second is lost and says so.
//! - renew: the lease counts as not renewed.
//! - release: the lock may stay taken until the lease ends.
//! - write: it may still succeed, but never after a higher token is known.
//!
//! # Durability
//!
//! The token counter and the newest token of each value never expire. They can be lost if Redis evicts keys
//! without a time to live (`maxmemory-policy allkeys-*`), or fails over to a replica that has not seen the last
//! acquire. Then a token may be issued twice. The newest token of a value still rejects lower ones.

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
pub use fencing::{FencingToken, Write};
pub use guard::{Guard, Loss, Renewal};
pub use lease::{Lease, LeaseError};
pub use lock::Lock;
pub use raw::{Acquisition, RawLock, Release};
pub use runtime::Runtime;
