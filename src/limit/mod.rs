//! What a limit is and how it decides. No I/O, no clock.

pub mod algorithm;
mod check_request;
mod invalid;
mod limit;
pub mod memory;
mod name;
mod parameters;
mod plan;
mod rate;
mod subject;
pub mod usage;
mod verdict;

pub use check_request::{CheckRequest, InvalidCheck, InvalidLease, LeaseId};
pub(crate) use check_request::{NO_LEASE, validate_check};
pub use invalid::{InvalidLimit, MAX_INTEGER};
pub use limit::Limit;
pub use name::LimitName;
pub use parameters::{Algorithm, Window};
pub use plan::{MAX_LIMITS, Plan};
pub use rate::Rate;
pub use subject::Subject;
pub use verdict::{Budget, Retry, Verdict};
