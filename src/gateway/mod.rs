//! Decides what to do with a request and what to charge for it. No I/O: the caller resolves API keys and runs checks.
//!
//! - `request`: the route and the client of a request, or the refusal
//! - `charge`: the limits and the cost of a request, and corrections after its response
//!
//! It uses `config`, `http`, `limit`, `tenant` and `time`.

mod charge;
mod request;

pub use charge::{Charge, ChargeCorrection};
pub use request::{IdentifiedRequest, RoutedRequest, find_route};
