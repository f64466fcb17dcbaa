//! Redis over Upstash's REST protocol, and what one script call can do with it.
//!
//! One `POST` runs one command: a JSON array goes out, a JSON object with `result` or `error` comes back
//! (Upstash documentation, "REST API"). This room may use `time`; the keys of `lock` are encoded by
//! `limit::Subject`.
//!
//! - `command`: a command as the JSON body of a request.
//! - `transport`: [`Transport`], the trait that moves one request and its response.
//! - `http`: [`HttpTransport`], the `reqwest` client.
//! - `deadline`: [`Deadline`] and [`Timed`], which bound all calls of a decision together.
//! - `token`: the bearer token of the REST server.
//! - `reply`: parses a response into a result or an error.
//! - `error`: [`RedisError`], every way in which a command can fail.
//! - `eval`: [`run`] for commands, [`eval`](eval()) for scripts.
//! - [`script`]: the scripts of `lua/`, their dialects and SHA-1s.
//! - `lua`: embeds a file of `lua/` without its comments.
//! - [`cas`]: compare-and-swap of one value.
//! - [`lock`]: a lock with a lease and a fencing token.

pub mod cas;
mod command;
mod deadline;
mod error;
mod eval;
#[cfg(feature = "rest")]
mod http;
pub mod lock;
mod lua;
mod reply;
pub mod script;
mod token;
mod transport;

pub use command::Command;
pub use deadline::{Deadline, Timed};
pub use error::RedisError;
pub use eval::{Argument, eval, run};
#[cfg(feature = "rest")]
pub use http::HttpTransport;
pub use reply::parse;
pub use token::Token;
pub use transport::{Response, Transport};
