//! The operator's configuration, parsed into types that cannot be invalid.
//!
//! Unknown fields and duplicate keys are errors. Every message starts with the path of its field.
//!
//! - `config`: [`Config`], the result; `identify`: [`Identify`], the ways to identify a client
//! - `parse/`: from JSON to [`Config`]
//! - [`jwt`]: the rules and the public keys for JSON Web Tokens
//! - [`routes`]: patterns, their rules, and the search for the route of a request
//! - [`costs`]: where the cost of a request stands
//! - [`source`]: where the text comes from, and when it is read again
//! - [`environment`]: the variables and secrets of a Worker
//! - `cors`: which web pages may read responses
//! - `outage`: the outage policy
//! - `origin`, `onward`: where requests go, and with which headers; `header_value`, `origin_secrets`: secrets in them
//! - `references`: the secrets and origins that a configuration names; `managed_header`: headers that it cannot change
//! - [`json`]: JSON from outside, read with all its problems; the API and tenants use it, too
//! - `error`, `header_name`, `suggestion`: errors, the syntax of header names, "did you mean"
//!
//! It uses `limit`, `limiter`, `redis` and `time`.

mod config;
mod cors;
pub mod costs;
pub mod environment;
mod error;
mod header_name;
mod header_value;
mod identify;
pub mod json;
pub mod jwt;
mod managed_header;
mod onward;
mod origin;
mod origin_secrets;
mod outage;
mod parse;
mod references;
pub mod routes;
pub mod source;
mod suggestion;

pub use config::{Config, KEY_PREFIX, KeySource, LogRefused, Scripts};
pub use cors::{Cors, CorsOrigins, Preflight, SerializedOrigin};
pub use error::ConfigError;
pub use header_name::is_header_name;
pub use header_value::is_origin_secret;
pub use identify::Identify;
pub use managed_header::HOP_BY_HOP;
pub use onward::Onward;
pub use origin::{Origin, missing_service, without_segments};
pub use origin_secrets::OriginSecrets;
pub use outage::OnOutage;
pub use parse::plan_from_value;
