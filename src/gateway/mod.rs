//! Decides what to do with a request and what to charge for it. No I/O: the caller resolves API keys and runs checks.
//!
//! - `request`: the route and the client of a request, or the refusal
//! - `partition`: the values by which limits count a request
//! - `charge`: the limits and the cost of a request, and corrections after its response
//! - `log_summary`: counts repeated events, so that the log has few lines of them
//!
//! It uses `config`, `http`, `jwt`, `limit`, `tenant` and `time`.

mod charge;
mod log_summary;
mod partition;
mod request;

pub use charge::{Charge, ChargeCorrection};
pub use log_summary::{LogSummary, SUMMARY_INTERVAL, Summary};
pub use partition::{Place, RequestValues};
pub use request::{IdentifiedRequest, RoutedRequest, check_base_path, find_route};
