//! Authenticator

mod authenticator;
mod guess_limiter;

pub use authenticator::{Authentication, AuthenticationError, Authenticator};
