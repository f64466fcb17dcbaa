//! The one limit that the floor and our Worker check.

use std::cell::RefCell;

use serde_json::{Value, json};
use sluicegate::config::Config;
use sluicegate::limit::Subject;
use sluicegate::limiter::{Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{RedisError, Response, Transport};
use sluicegate::time::Millis;

/// At one unit per second, the state of a subject outlives the time between two of its requests, as in production. A
/// run cannot use up the burst, so no request is refused.
const LIMIT: u64 = 1;
const WINDOW_SECONDS: u64 = 1;
const BURST: u64 = 100_000_000;
const NAME: &str = "bench";

/// Returns the variable `SLUICEGATE` of our Worker. It refuses requests when Redis fails, so none passes unchecked.
pub(crate) fn configuration() -> Value {
    json!({
        "identify": ["address"],
        "default_plan": NAME,
        "on_outage": "closed",
        "timeout": "10s",
        "clock": "edge",
        "plans": { NAME: { "limits": [{
            "name": NAME,
            "algorithm": "token_bucket",
            "limit": LIMIT,
            "window": format!("{WINDOW_SECONDS}s"),
            "burst": BURST,
        }] } },
    })
}

/// Returns the variable `CHECK` of the floor: the command our Worker sends, without the key and the time between
/// `head` and `tail`.
pub(crate) async fn check() -> Result<Value, CheckError> {
    let config = Config::from_json(&configuration().to_string())?;
    let recorder = Recorder::default();
    let limiter = Limiter::new(&recorder, Dialect::Plain);
    let now = Now::At(Millis::new(1));
    // The recorder never replies; only the command it receives matters.
    let _ = limiter.check(&Subject::named("subject"), config.default_plan.limits(), 1, now).await;
    let sent = recorder.sent.take();
    let words: Vec<Value> = serde_json::from_str(&sent).unwrap_or_default();
    // EVALSHA, SHA-1, 1, key, now, …
    match words.as_slice() {
        [evalsha, sha1, keys, _, now, tail @ ..] if evalsha == "EVALSHA" && keys == 1 && now == 1 => Ok(json!({
            "head": [evalsha, sha1, keys],
            "tail": tail,
            "quota": LIMIT,
            "window": WINDOW_SECONDS,
        })),
        _ => Err(CheckError::Unexpected { sent }),
    }
}

/// The command of our Worker cannot be determined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] sluicegate::config::ConfigError),
    /// The command is not an EVALSHA with one key and the time as its first argument.
    #[error("the floor cannot send this command: {sent}")]
    Unexpected {
        /// The body our Worker sent.
        sent: String,
    },
}

/// A transport that records what is sent and then times out.
#[derive(Debug, Default)]
struct Recorder {
    sent: RefCell<String>,
}

impl Transport for &Recorder {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.sent.replace(body);
        Err(RedisError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use sluicegate::redis::script::CHECK;

    use super::*;

    #[tokio::test]
    async fn the_floor_sends_what_our_worker_sends() {
        let check = check().await.unwrap();
        assert_eq!(check["head"], json!(["EVALSHA", CHECK.in_dialect(Dialect::Plain).sha1, 1]));
        let tail = check["tail"].as_array().unwrap();
        assert!(tail.contains(&json!("token_bucket")) && tail.contains(&json!(BURST)), "{tail:?}");
    }
}
