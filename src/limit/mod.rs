//! What a limit is and how it decides. No I/O, no clock.
//!
//! - `limit`, `name`, `rate`, `parameters`: [`Limit`], its name, and the parameters of its [`Algorithm`].
//! - `plan`: [`Plan`], the limits of one subject; `invalid`: why a limit or a plan is invalid.
//! - `prefetch_rule`: [`PrefetchRule`], how many units of a plan an isolate may take in advance.
//! - `subject`, `caller`: [`Subject`], the owner of a quota, and its Redis keys.
//! - `by`: [`By`], what a limit counts by if not by the caller alone; `grouping`: which states a check needs then.
//! - `check_request`, `verdict`: the input and the result of a check.
//! - [`algorithm`]: the state machines, one file each.
//! - [`memory`]: the in-memory limiter.
//! - [`usage`]: usage meters.
//!
//! Uses only [`time`](crate::time).

pub mod algorithm;
mod by;
mod caller;
mod check_request;
mod grouping;
mod invalid;
mod limit;
pub mod memory;
mod name;
mod parameters;
mod plan;
mod prefetch_rule;
mod rate;
mod subject;
pub mod usage;
mod verdict;

pub use by::By;
pub use check_request::{CheckRequest, InvalidCheck, InvalidLeaseId, LeaseId};
pub(crate) use check_request::{NO_LEASE, validate_check};
pub(crate) use grouping::Grouping;
pub use invalid::{InvalidLimit, MAX_INTEGER};
pub use limit::Limit;
pub use name::LimitName;
pub use parameters::{Algorithm, Window};
pub use plan::{MAX_LIMITS, Plan};
pub use prefetch_rule::PrefetchRule;
pub use rate::Rate;
pub use subject::{EVERYONE, Subject};
pub use verdict::{Budget, Retry, Verdict};
