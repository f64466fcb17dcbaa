//! Parses JSON into a [`Config`](super::Config).
//!
//! The structs here have the fields of the configuration as written; `validate` turns each into its final type.
//!
//! - `from_json`: the entrances, for a whole configuration and for a single plan
//! - `config`, `cors`, `plan`, `limit`, `route`, `jwt`: one file for each object of the configuration; `onward`: the
//!   fields of a route about its origin
//! - `by`: what limits count by
//! - `duration`: durations like `10s`; `networks`: lists of addresses and networks
//! - `deserializer`: JSON values as input of serde

mod by;
mod config;
mod cors;
mod costs;
mod deserializer;
mod duration;
mod from_json;
mod jwt;
mod limit;
mod networks;
mod onward;
mod plan;
mod route;

pub use from_json::plan_from_value;
