//! Compare-and-swap: changes a value only if it equals the expected one, in one call of `cas.lua`.
//!
//! Redis compares values byte for byte. The REST protocol carries text: any UTF-8 passes unchanged, including
//! NUL and line ends. Bytes that are not UTF-8 can be neither expected nor written. If another client wrote
//! some, they appear in [`Outcome::Conflict`] as U+FFFD, and that text does not match the stored bytes.
//!
//! An error may [leave the outcome unknown](RedisError::outcome_is_unknown): the value may or may not have
//! changed. Retrying is safe if the new value is unique to the caller, for example because it contains an id:
//! a conflict that finds exactly this value means that the first attempt succeeded. If others write the same
//! values (`on`, `off`), a retry could undo a change made in between.

use super::error::RedisError;
use super::eval::{Argument, eval};
use super::script::{self, Dialect};
use super::transport::Transport;
use crate::time::Millis;

/// The outcome of a compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the value may not have changed"]
pub enum Outcome {
    /// The value was the expected one and has changed.
    Swapped,
    /// The value was a different one and has not changed.
    Conflict {
        /// The current value; `None` if the key does not exist.
        found: Option<String>,
    },
}

/// When a written value expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Keeps the current time to live. A value without one, or a new value, never expires.
    Keep,
    /// Never.
    Never,
    /// After this time: 1 ms to 2^53 - 1 ms. The script rejects other values.
    After(Millis),
}

/// Writes `new` to `key` if the key does not exist.
///
/// # Errors
/// Returns a [`RedisError`]. [`RedisError::Command`] means that nothing changed, for example because `key` is
/// not a string.
pub async fn create(
    transport: &impl Transport,
    dialect: Dialect,
    key: &str,
    new: &str,
    expiry: Expiry,
) -> Result<Outcome, RedisError> {
    let arguments = [Argument::Text("create"), Argument::Text(""), Argument::Text(new), expiry.argument()];
    swap(transport, dialect, key, &arguments).await
}

/// Writes `new` to `key` if its value is `expected`. A missing key never matches.
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
    swap(transport, dialect, key, &arguments).await
}

/// Deletes `key` if its value is `expected`.
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
    swap(transport, dialect, key, &arguments).await
}

async fn swap(
    transport: &impl Transport,
    dialect: Dialect,
    key: &str,
    arguments: &[Argument<'_>],
) -> Result<Outcome, RedisError> {
    let script = script::CAS.in_dialect(dialect);
    match eval(transport, script, &[key.to_owned()], arguments).await? {
        (1, None) => Ok(Outcome::Swapped),
        (0, found) => Ok(Outcome::Conflict { found }),
        (swapped, found) => {
            Err(RedisError::Shape { reason: format!("unexpected reply of cas.lua: {swapped}, {found:?}") })
        }
    }
}

impl Expiry {
    /// Returns the script argument for this expiry.
    pub(crate) fn argument(self) -> Argument<'static> {
        match self {
            Expiry::Keep => Argument::Text("keep"),
            Expiry::Never => Argument::Text("never"),
            Expiry::After(ttl) => Argument::Number(ttl.get()),
        }
    }
}
