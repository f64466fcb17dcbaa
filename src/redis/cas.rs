//! Compare-and-swap: a value is changed only if it is what the caller believes it to be, in one call of `cas.lua`.
//!
//! Values are compared byte for byte inside Redis. The REST protocol carries text: any UTF-8 goes there and
//! back unchanged, NUL and line ends included. Bytes that are not UTF-8 can be neither expected nor written;
//! where another client wrote some, they appear in [`Outcome::Conflict`] as U+FFFD, and such a text does not
//! match the bytes it stands for.
//!
//! After an error that [leaves the outcome unknown](RedisError::outcome_is_unknown) it is unknown whether the value was changed.
//! Asking again is safe where the new value is the caller's own, with an id in it: a conflict that finds
//! this very value is the first attempt's success. Where others write the same values (`on`, `off`), it
//! could undo what somebody did in between.

use super::error::RedisError;
use super::eval::{Argument, eval};
use super::script::{self, Dialect};
use super::transport::Transport;
use crate::time::Millis;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the value may be another"]
pub enum Outcome {
    /// The value was what the caller expected, and is changed.
    Swapped,
    /// The value was another, and stays.
    Conflict {
        /// What is there; `None`: nothing is.
        found: Option<String>,
    },
}

/// When a value that is written shall expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// As before: the time to live goes on. A value that had none, or did not exist, never expires.
    Keep,
    /// Never.
    Never,
    /// After this long: 1 ms to 2^53 - 1 ms; Redis refuses anything else.
    After(Millis),
}

/// Writes `new` to `key` if nothing is there.
///
/// # Errors
/// A [`RedisError`]. One of [`RedisError::Command`] changed nothing, for example where `key` holds no string.
pub async fn create(
    transport: &impl Transport,
    dialect: Dialect,
    key: &str,
    new: &str,
    expiry: Expiry,
) -> Result<Outcome, RedisError> {
    let arguments = [Argument::Text("create"), Argument::Text(""), Argument::Text(new), expiry.argument()];
    change(transport, dialect, key, &arguments).await
}

/// Writes `new` to `key` if `expected` is there. A missing key does not match, whatever is expected.
///
/// # Errors
/// As [`create`].
pub async fn replace(
    transport: &impl Transport,
    dialect: Dialect,
    key: &str,
    expected: &str,
    new: &str,
    expiry: Expiry,
) -> Result<Outcome, RedisError> {
    let arguments = [Argument::Text("replace"), Argument::Text(expected), Argument::Text(new), expiry.argument()];
    change(transport, dialect, key, &arguments).await
}

/// Deletes `key` if `expected` is there.
///
/// # Errors
/// As [`create`].
pub async fn delete(
    transport: &impl Transport,
    dialect: Dialect,
    key: &str,
    expected: &str,
) -> Result<Outcome, RedisError> {
    let arguments = [Argument::Text("delete"), Argument::Text(expected), Argument::Text(""), Argument::Text("")];
    change(transport, dialect, key, &arguments).await
}

async fn change(
    transport: &impl Transport,
    dialect: Dialect,
    key: &str,
    arguments: &[Argument<'_>],
) -> Result<Outcome, RedisError> {
    let script = script::CAS.in_dialect(dialect);
    match eval(transport, script, &[key.to_owned()], arguments).await? {
        (1, None) => Ok(Outcome::Swapped),
        (0, found) => Ok(Outcome::Conflict { found }),
        (swapped, found) => Err(RedisError::Shape { reason: format!("no outcome: {swapped}, {found:?}") }),
    }
}

impl Expiry {
    /// As the scripts read it.
    pub(crate) fn argument(self) -> Argument<'static> {
        match self {
            Expiry::Keep => Argument::Text("keep"),
            Expiry::Never => Argument::Text("never"),
            Expiry::After(ttl) => Argument::Number(ttl.get()),
        }
    }
}
