//! Everything that can come from Redis instead of a result.

/// A failure of the infrastructure. What it means for a request is the configuration's `on_outage` to say.
///
/// Texts from the server are cut to a length that fits into a log line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    /// No connection, or it broke before the answer was complete.
    #[error("redis is unreachable: {reason}")]
    Unreachable {
        /// What the HTTP client says.
        reason: String,
    },
    /// No complete answer within the configured `timeout`.
    #[error("redis did not answer in time")]
    Timeout,
    /// 401: the token is missing or wrong.
    #[error("redis refused the token (UPSTASH_REDIS_REST_TOKEN): {reason}")]
    Unauthorized {
        /// The server's text.
        reason: String,
    },
    /// The server does not know the script of an `EVALSHA`: nothing was executed.
    #[error("redis does not know the script")]
    UnknownScript,
    /// The database's own quota of requests is used up.
    #[error("the redis database is over its own quota: {reason}")]
    Exhausted {
        /// The server's text.
        reason: String,
    },
    /// The command failed.
    #[error("redis refused the command: {reason}")]
    Command {
        /// The server's text.
        reason: String,
    },
    /// 429: the REST server itself limits the rate.
    #[error("the redis REST server limits the rate of requests (status 429)")]
    RateLimited,
    /// A status that is neither success nor a known failure.
    #[error("the redis REST server failed with status {status}: {reason}")]
    Server {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        reason: String,
    },
    /// The body of a success is not JSON.
    #[error("the redis REST server's answer is not JSON: {body}")]
    NotJson {
        /// The beginning of the body.
        body: String,
    },
    /// The body is JSON, but not of the shape that the command asks for.
    #[error("redis answered in an unexpected shape: {reason}")]
    Shape {
        /// What was expected and what came.
        reason: String,
    },
    /// A list of the wrong length.
    #[error("redis answered with {found} numbers, expected {expected}")]
    Length {
        /// How many numbers the question has as its answer.
        expected: usize,
        /// How many came.
        found: usize,
    },
}

impl RedisError {
    /// Whether the command may have been executed all the same, or may be yet: no answer of Redis itself came.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            RedisError::Unreachable { .. } | RedisError::Timeout => true,
            // A server in between has given up.
            RedisError::Server { status, .. } => *status >= 500,
            _ => false,
        }
    }
}
