//! Explains what would happen to a request, without I/O: the decision of the gateway's own functions up to the check of the
//! limits, with the reasons.
//!
//! - `request`: [`RequestToExplain`], the request
//! - `credentials`: [`Credentials`], who its API key or token names
//! - `explainer`: [`Explainer`], which calls the functions in the order of a request
//! - `explanation`: [`Explanation`], the result
//! - `caller`, `onward`: who is charged, and what the origin gets, in its terms; `sentences`: the reasons in English

mod caller;
mod credentials;
mod explainer;
mod explanation;
mod onward;
mod request;
mod sentences;

pub use credentials::Credentials;
pub use explainer::Explainer;
pub use explanation::{CallerKind, Cost, ExplainedCaller, Explanation, Onward, Outcome};
pub use request::RequestToExplain;
