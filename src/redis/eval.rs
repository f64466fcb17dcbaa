//! Upstash's REST protocol: one command a `POST`, as a JSON array
//! (Upstash documentation, "REST API").
//!
//! [`Command`] is what is asked, [`RedisError`] everything that can come instead of a result, and
//! [`Transport`] the only thing that moves bytes. [`eval`] runs a script.

use serde::de::DeserializeOwned;

use super::command::Command;
use super::error::RedisError;
use super::reply::parse;
use super::script::PreparedScript;
use super::transport::Transport;

/// Runs one command and reads its result as a `T`.
///
/// # Errors
/// Every [`RedisError`] but [`RedisError::Length`].
pub async fn run<T: DeserializeOwned>(transport: &impl Transport, command: Command) -> Result<T, RedisError> {
    parse(&transport.post(command.into_body()).await?)
}

/// Runs a script: `EVALSHA`, and if the server does not know the script, one `EVAL`, which loads it too.
///
/// `NOSCRIPT` says that nothing was executed, so the second attempt cannot charge twice. No other
/// failure is tried again.
///
/// # Errors
/// Every [`RedisError`] but [`RedisError::Length`].
pub async fn eval<T: DeserializeOwned>(
    transport: &impl Transport,
    script: &PreparedScript,
    keys: &[String],
    arguments: &[Argument<'_>],
) -> Result<T, RedisError> {
    let command = |name, text| {
        let mut command = Command::new(name).text(text).number(keys.len() as u64);
        for key in keys {
            command = command.text(key);
        }
        for argument in arguments {
            command = match argument {
                Argument::Number(number) => command.number(*number),
                Argument::Text(text) => command.text(text),
            };
        }
        command
    };
    match run(transport, command("EVALSHA", &script.sha1)).await {
        Err(RedisError::UnknownScript) => run(transport, command("EVAL", &script.source)).await,
        result => result,
    }
}

/// An argument of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument<'a> {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(&'a str),
}
