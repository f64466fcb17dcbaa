//! Authenticator

mod authenticator;
mod guess_limiter;

pub use authenticator::{Answer, Directory, DirectoryError};
