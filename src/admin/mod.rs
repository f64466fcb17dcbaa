//! The admin and check API, below `/_sluicegate/v1`: a call comes in as plain data, an answer goes out as such.
//!
//! What it can do is in `openapi.json`, which it serves. Everything else needs the admin token. Answers are JSON,
//! those that tell of a problem are [`Problem`](crate::http::problem::Problem)s; none may be cached.

mod admin;
mod authorization;
mod check;
mod diagnosis;
mod dispatch;
mod input;
mod keys;
mod locks;
mod merge;
mod precondition;
mod query;
mod response;
mod route;
mod tenants;
mod usage;
mod values;
mod wire;

pub use admin::{Admin, Call, MAX_BODY};
pub use dispatch::OPENAPI;
pub use response::Response;
