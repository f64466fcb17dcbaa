//! Refusals and failures as `application/problem+json` (RFC 9457).
//!
//! - `problem`: [`Problem`], and those of requests to the origin
//! - `client`: refusals before the limits are checked; `token`: refusals of tokens
//! - `api`: errors of the admin API

mod api;
mod client;
mod problem;
mod token;

pub use problem::{CONTENT_TYPE, Problem};
