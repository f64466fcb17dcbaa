//! Limits decided by Redis.

mod arguments;
mod clock;
mod error;
#[cfg(test)]
mod fixtures;
mod limiter;
mod reply;
mod request_id;
mod settlement;

pub use clock::{Clock, Now};
pub use error::CheckError;
pub use limiter::Limiter;
pub use reply::BatchVerdict;
pub use request_id::{InvalidRequestId, RequestId};
pub use settlement::{Correction, SettleOutcome, Settlement};
