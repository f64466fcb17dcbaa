//! The one limit that the floor and our Worker check.

use std::cell::RefCell;

use serde_json::{Value, json};
use sluicegate::config::Config;
use sluicegate::limit::Subject;
use sluicegate::limiter::{Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{RedisError, Response, Transport};
use sluicegate::time::Millis;

/// One unit a second lets the state of a subject live on between two of its requests, as a real one does; the burst
/// is more than a run can use up, so no request is refused.
const LIMIT: u64 = 1;
const WINDOW_SECONDS: u64 = 1;
const BURST: u64 = 100_000_000;
const NAME: &str = "bench";

/// The variable `SLUICEGATE` of our Worker. It refuses when Redis fails, so that no request passes unjudged.
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

/// The variable `CHECK` of the floor: what our Worker sends, word by word, but for the key and the time between
/// `head` and `tail`.
pub(crate) async fn check() -> Result<Value, CheckError> {
    let config = Config::from_json(&configuration().to_string())?;
    let recorder = Recorder::default();
    let limiter = Limiter::new(&recorder, Dialect::Plain);
    let now = Now::At(Millis::new(1));
    // The recorder never answers; what was asked is all that is wanted.
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

/// What our Worker sends is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] sluicegate::config::ConfigError),
    /// It is not one EVALSHA with one key and the time first.
    #[error("the floor does not know how to send this: {sent}")]
    Unexpected {
        /// The body.
        sent: String,
    },
}

/// Keeps what is sent, and loses it on its way.
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
