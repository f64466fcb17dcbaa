//! HTTP terms as plain data. No I/O.
//!
//! - `facts`: the facts of a request, and its destination
//! - [`Fields`]: the header fields of a message
//! - [`cors`]: what lets pages of other origins read responses
//! - [`forwarding`]: which headers a proxy drops and adds
//! - `values`: single values of a query and of a `Cookie` header
//! - [`rate_limit`]: the `RateLimit` headers and `Retry-After`
//! - [`usage`]: the cost that a request or its response tells
//! - [`problem`]: refusals and failures as `application/problem+json`
//!
//! It uses `config`, `jwt`, `limit`, `redis` (fencing tokens), `tenant` (ids) and `time`.

pub mod cors;
mod facts;
mod fields;
pub mod forwarding;
pub mod problem;
pub mod rate_limit;
pub mod usage;
mod values;

pub use facts::{CLIENT_ADDRESS, Destination, RequestFacts};
pub use fields::{Fields, push_field};
pub use values::{cookie_value, query_value};
