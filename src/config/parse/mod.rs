//! JSON to a [`Config`](super::Config): the fields as an operator writes them, and their checks.

mod config;
mod deserializer;
mod duration;
mod from_json;
mod limit;
mod plan;
mod route;

pub use from_json::plan_from_value;
