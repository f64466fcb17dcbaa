//! The operator's configuration, parsed into types that cannot be invalid.
//!
//! Unknown fields and duplicate keys are errors. Every message starts with the path of its field.
//!
//! - `config`: [`Config`], the result
//! - `parse/`: from JSON to [`Config`]
//! - [`routes`]: patterns, their rules, and the search for the route of a request
//! - [`environment`]: the variables and secrets of a Worker
//! - `outage`: the outage policy
//! - [`json`]: JSON from outside, read with all its problems; the API and tenants use it, too
//! - `error`, `header_name`, `suggestion`: errors, the syntax of header names, "did you mean"
//!
//! It uses `limit`, `limiter`, `redis` and `time`.

mod config;
pub mod environment;
mod error;
mod header_name;
pub mod json;
mod outage;
mod parse;
pub mod routes;
mod suggestion;

pub use config::{Config, Identify, KEY_PREFIX, KeySource, LogRefused, Scripts};
pub use error::ConfigError;
pub use header_name::is_header_name;
pub use outage::OnOutage;
pub use parse::plan_from_value;
