//! The operator's configuration: JSON to [`Config`], or what is wrong and where.
//!
//! This is the only place that deserializes what an operator wrote. Unknown fields are errors, and
//! every message starts with the path of its field.

mod config;
pub mod environment;
mod error;
mod header_name;
pub mod json;
mod outage;
mod parse;
pub mod routes;
mod suggestion;

pub use config::{Config, Identify, KEY_PREFIX, KeySource, Scripts};
pub use error::ConfigError;
pub use header_name::is_header_name;
pub use outage::OnOutage;
pub use parse::plan_from_value;
