//! Upstash REST.

pub mod cas;
mod command;
mod error;
mod eval;
#[cfg(feature = "rest")]
mod http;
pub mod lock;
mod reply;
pub mod script;
mod token;
mod transport;

pub use command::Command;
pub use error::RedisError;
pub use eval::{Argument, eval, run};
#[cfg(feature = "rest")]
pub use http::HttpTransport;
pub use reply::parse;
pub use token::Token;
pub use transport::{Response, Transport};
