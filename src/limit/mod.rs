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

pub use check_request::{InvalidLease, LeaseId, QuestionError, Request};
pub(crate) use check_request::{NOBODYS, validate};
pub use invalid::{MAX_INTEGER, PolicyError};
pub use limit::Limit;
pub use name::LimitName;
pub use parameters::{Algorithm, Window};
pub use plan::{MAX_LIMITS, Plan};
pub use rate::Rate;
pub use subject::Subject;
pub use verdict::{Budget, Retry, Verdict};
