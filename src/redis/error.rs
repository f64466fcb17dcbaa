//! The ways in which a Redis command can fail.

use crate::time::Millis;

/// A failed Redis command: an infrastructure failure. The configured `on_outage` decides what it means for a
/// request.
///
/// Texts from the server are truncated to fit into a log line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    /// The connection failed, or broke before the response was complete.
    #[error("redis is unreachable: {reason}")]
    Unreachable {
        /// The HTTP client's error.
        reason: String,
    },
    /// No complete response arrived within the configured `timeout`.
    #[error("redis did not answer in time")]
    Timeout,
    /// No call was made, because the last calls failed: the circuit breaker is open.
    #[error("redis is not asked because calls failed: {cause} (next call in {retry})")]
    NotAsked {
        /// The time until the next call.
        retry: Millis,
        /// Why the last call failed.
        cause: String,
    },
    /// The token is missing or wrong (status 401).
    #[error("redis refused the token (UPSTASH_REDIS_REST_TOKEN): {reason}")]
    Unauthorized {
        /// The server's text.
        reason: String,
    },
    /// The server does not have the script of an `EVALSHA`. Nothing ran.
    #[error("redis does not have the script")]
    UnknownScript,
    /// The database's own request quota is used up.
    #[error("the redis database is over its own quota: {reason}")]
    Exhausted {
        /// The server's text.
        reason: String,
    },
    /// Redis rejected the command.
    #[error("redis refused the command: {reason}")]
    Command {
        /// The server's text.
        reason: String,
    },
    /// The REST server limits the rate of requests (status 429).
    #[error("the redis REST server limits the rate of requests (status 429)")]
    RateLimited,
    /// The status is neither success nor a known failure.
    #[error("the redis REST server failed with status {status}: {reason}")]
    Server {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        reason: String,
    },
    /// The body of a successful response is not JSON.
    #[error("the redis REST server's response is not JSON: {body}")]
    NotJson {
        /// The beginning of the body.
        body: String,
    },
    /// The reply is not of the type that the command returns.
    #[error("redis sent a reply of an unexpected shape: {reason}")]
    Shape {
        /// What was expected and what was found.
        reason: String,
    },
    /// The reply is a list of the wrong length.
    #[error("redis sent a reply of the wrong length: expected {expected} items, found {found}")]
    Length {
        /// How many items the reply must have.
        expected: usize,
        /// How many items it has.
        found: usize,
    },
}

impl RedisError {
    /// Returns when Redis will be asked again, if that is known.
    #[must_use]
    pub fn retry(&self) -> Option<Millis> {
        match self {
            RedisError::NotAsked { retry, .. } => Some(*retry),
            _ => None,
        }
    }

    /// Returns whether the command's outcome is unknown: Redis itself did not reply, so the command may have
    /// run, may still run, or may never run.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            RedisError::Unreachable { .. } | RedisError::Timeout => true,
            // A proxy between here and Redis gave up.
            RedisError::Server { status, .. } => *status >= 500,
            _ => false,
        }
    }
}
