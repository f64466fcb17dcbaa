//! The wasm of the demo page: code of the core, for JavaScript.
//!
//! - [`headers`]: parses and formats the `RateLimit` headers.
//! - [`compare`]: the algorithms on the same traffic, simulated.

pub mod compare;
pub mod headers;
