//! Runs commands and scripts.

use serde::de::DeserializeOwned;

use super::command::Command;
use super::error::RedisError;
use super::reply::parse;
use super::script::PreparedScript;
use super::transport::Transport;

/// Runs one command and deserializes its result.
///
/// # Errors
/// Returns any [`RedisError`] except [`RedisError::Length`].
pub async fn run<T: DeserializeOwned>(transport: &impl Transport, command: Command) -> Result<T, RedisError> {
    parse(&transport.post(command.into_body()).await?)
}

/// Runs a script with `EVALSHA`, and with one `EVAL` if the server does not have the script; `EVAL` also loads
/// it.
///
/// `NOSCRIPT` means that nothing ran, so the second attempt cannot charge twice. No other failure is retried.
///
/// # Errors
/// Returns any [`RedisError`] except [`RedisError::Length`].
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

/// A script argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument<'a> {
    /// An integer.
    Number(u64),
    /// A text.
    Text(&'a str),
}
