//! The interface between the protocol and an HTTP client.

use super::error::RedisError;

/// Sends a request to the REST server and returns its response.
///
/// An implementation must send each body at most once: a command that is sent twice may charge twice.
#[expect(async_fn_in_trait, reason = "the Worker's futures are not Send, the callers name concrete transports")]
pub trait Transport {
    /// Posts `body`, a JSON array, and returns the response, whatever its status.
    ///
    /// # Errors
    /// Returns [`RedisError::Unreachable`] or [`RedisError::Timeout`] if no complete response arrives. The
    /// command may or may not have run.
    async fn post(&self, body: String) -> Result<Response, RedisError>;
}

impl<T: Transport> Transport for &T {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        (**self).post(body).await
    }
}

/// A complete HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}
