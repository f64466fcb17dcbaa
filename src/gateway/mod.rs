//! What to do with a request.

mod charge;
mod request;

pub use charge::{Charge, Correction};
pub use request::{IdentifiedRequest, RoutedRequest, find_route};
