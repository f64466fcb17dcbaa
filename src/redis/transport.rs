//! How a request reaches the REST server.

use super::error::RedisError;

/// Moves one request to the server and its answer back.
///
/// An implementation sends each body at most once: a limiter's command that is sent twice may charge twice.
#[expect(async_fn_in_trait, reason = "the Worker's futures are not Send, the callers name concrete transports")]
pub trait Transport {
    /// Posts `body`, a JSON array, and returns the answer's status and bytes whatever the status is.
    ///
    /// # Errors
    /// [`RedisError::Unreachable`] or [`RedisError::Timeout`]: no complete answer came. Whether the command
    /// was executed is unknown then.
    async fn post(&self, body: String) -> Result<Response, RedisError>;
}

impl<T: Transport> Transport for &T {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        (**self).post(body).await
    }
}

/// An HTTP answer, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body, complete.
    pub body: Vec<u8>,
}
