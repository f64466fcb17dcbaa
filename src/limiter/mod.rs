//! Limits that Redis decides: one script call checks all limits of a subject.
//!
//! - `limiter`: [`Limiter`], with checks, settlements, releases and resets.
//! - `clock`: which clock decides, the caller's or Redis's.
//! - `arguments`: `KEYS` and `ARGV` of the scripts.
//! - `reply`: decodes what the scripts return. `packed_state`: [`PackedState`], read without a script.
//! - `settlement`: the real cost of a request, and the outcome of settling it.
//! - `release`: the release of a lease, tried again if Redis does not answer.
//! - `request_id`: identifies a request, so that it is settled only once.
//! - `error`: why a check has no verdict.
//! - `refusals`: [`Refusals`], the deny cache, which remembers refusals.
//! - `prefetch`: [`Prefetch`], the units that were taken from Redis in advance.
//! - [`breaker`]: the circuit breaker, which stops calls to Redis while it fails.
//!
//! Uses [`time`](crate::time), [`limit`](crate::limit) and [`redis`](crate::redis). Reads no clock.

mod arguments;
pub mod breaker;
mod clock;
mod error;
#[cfg(test)]
mod fixtures;
mod limiter;
mod packed_state;
mod prefetch;
mod refusals;
mod release;
mod reply;
mod request_id;
mod settlement;

pub use clock::{Clock, Now};
pub use error::CheckError;
pub use limiter::{Decided, Decider, Limiter};
pub use packed_state::PackedState;
pub use prefetch::{Leftover, LotId, Prefetch};
pub use refusals::Refusals;
pub use release::{release_again, release_unconfirmed};
pub use reply::BatchVerdict;
pub use request_id::{InvalidRequestId, RequestId};
pub use settlement::{Correction, SettleOutcome, Settlement};
