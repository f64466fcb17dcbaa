//! Decides what to do with a request and what to charge for it. No I/O: the caller resolves API keys and runs checks.
//!
//! - `request`: the route and the client of a request, or the refusal
//! - `partition`: the values by which limits count a request
//! - `preflight`: the request that a CORS preflight announces
//! - `onward`: the request to the origin
//! - `charge`: the limits and the cost of a request, and corrections after its response
//! - `explain/`: what would happen to a request, and why
//! - `events`: the last events of an isolate
//! - `log_summary`: counts repeated events, so that the log has few lines of them
//!
//! It uses `config`, `http`, `jwt`, `limit`, `tenant` and `time`.

mod charge;
mod events;
mod explain;
mod log_summary;
mod onward;
mod partition;
mod preflight;
mod request;

pub use charge::{Charge, ChargeCorrection};
pub use events::{Event, EventKind, EventRing, NewEvents};
pub use explain::{
    CallerKind, Cost, Credentials, ExplainedCaller, Explainer, Explanation, Onward, Outcome, RequestToExplain,
};
pub use log_summary::{LogSummary, SUMMARY_INTERVAL, Summary};
pub use onward::{AllowedRequest, OnwardRequest, origin_of};
pub use partition::{Place, RequestValues};
pub use preflight::AnnouncedRequest;
pub use request::{IdentifiedRequest, RoutedRequest, check_base_path, find_route};
