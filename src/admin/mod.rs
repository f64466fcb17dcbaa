//! The admin and check API below `/_sluicegate/v1`, as plain data: a [`Call`] in, a [`Response`] out.
//!
//! `openapi.json` describes the API, and is the only path without the admin token. Bodies are JSON, errors are
//! [`Problem`](crate::http::problem::Problem)s. No response may be cached.
//!
//! - `admin`: [`Admin`] and [`Call`], with the bodies of requests; `authorization`: the admin token.
//! - `dispatch`: which call does what; `route`: the paths and their methods; `query`: the query parameters.
//! - `tenants`, `keys`, `usage`, `check`, `locks`, `values`, `diagnosis`, `overview`, `events`, `explain`,
//!   `configuration`: the operations. `check_input`: [`CheckInput`].
//! - `openapi`: the text of `openapi.json`. `subjects`: what limits count by. `wire`: tenants as JSON; `explanation`,
//!   `limit`: explanations and limits as JSON; `members`: JSON objects and lists; `input`, `explain_input`: readers of
//!   fields; `token_check`: how tokens are verified; `merge`: JSON merge patch; `precondition`: `If-Match`.
//! - `response`: [`Response`], and what a failure becomes.
//!
//! May use every room but `edge`.

mod admin;
mod authorization;
mod check;
mod check_input;
mod configuration;
mod diagnosis;
mod dispatch;
mod events;
mod explain;
mod explain_input;
mod explanation;
mod input;
mod keys;
mod limit;
mod locks;
mod members;
mod merge;
mod openapi;
mod overview;
mod precondition;
mod query;
mod response;
mod route;
mod subjects;
mod tenants;
mod token_check;
mod usage;
mod values;
mod wire;

pub use admin::{Admin, Call, MAX_BODY};
pub use check_input::{CheckInput, Target};
pub use explain::explain_offline;
pub use openapi::OPENAPI;
pub use response::Response;
pub use subjects::Values;
pub use token_check::{TokenCheck, TokenResult};
