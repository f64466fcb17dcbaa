//! HTTP terms as plain data.

mod facts;
pub mod forwarding;
pub mod problem;
pub mod rate_limit;

pub use facts::{Destination, RequestFacts};
