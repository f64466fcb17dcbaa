//! Which tenant an API key belongs to, and protection against guessed keys.
//!
//! - `authenticator`: [`Authenticator`], which resolves a key from the cache of the isolate or from Redis.
//! - `guess_limiter`: limits how many unknown keys a client may try.

mod authenticator;
mod guess_limiter;

pub use authenticator::{Authentication, AuthenticationError, Authenticator};
