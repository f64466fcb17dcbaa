//! The variables of the contenders in a scenario.

use std::cell::RefCell;

use serde_json::{Value, json};
use sluicegate::config::Config;
use sluicegate::limit::Subject;
use sluicegate::limiter::{Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{RedisError, Response, Transport};
use sluicegate::time::Millis;

use crate::contender::Contender;
use crate::limit::Limit;
use crate::scenario::{Caller, Measure, Scenario};

/// Returns the variable `SLUICEGATE` of our Worker. It refuses requests when Redis fails, so none passes unchecked.
#[must_use]
pub fn configuration(scenario: &Scenario, contender: Contender) -> Value {
    let limits: Vec<Value> = scenario.limits.iter().map(|limit| limit.document()).collect();
    // Without its key, a tenant's request would be limited by its address.
    let (identify, routes) = match scenario.caller {
        Caller::Tenant => (json!(["api_key", "address"]), json!([{ "match": "* /*", "require_key": true }])),
        Caller::Addresses | Caller::OneAddress => (json!(["address"]), json!([])),
    };
    let mut plan = json!({ "limits": limits });
    if let (Contender::Prefetch, Some(plan)) = (contender, plan.as_object_mut()) {
        plan.insert("prefetch".to_owned(), json!({ "units": 1000, "hold": "500ms" }));
    }
    json!({
        "identify": identify,
        "default_plan": PLAN,
        "on_outage": "closed",
        "timeout": "10s",
        "clock": "edge",
        "plans": { PLAN: plan },
        "routes": routes,
    })
}

/// Returns the variable `UPSTASH` of npm `@upstash/ratelimit`: its limiters and their options.
///
/// Only a flood has its default cache of refusals; where nothing is refused, the cache is work without a use.
#[must_use]
pub fn upstash(scenario: &Scenario) -> Value {
    let options = if scenario.measure == Measure::Flood { json!({}) } else { json!({ "ephemeralCache": false }) };
    json!({ "quotas": scenario.upstash, "options": options })
}

/// Returns the variable `CHECK` of the floor: the command our Worker sends, without the key and the time between
/// `head` and `tail`.
///
/// # Errors
///
/// Fails if our Worker does not accept the limits, or sends another command.
pub async fn check(scenario: &Scenario) -> Result<Value, CheckError> {
    let config = Config::from_json(&configuration(scenario, Contender::Sluicegate).to_string())?;
    let recorder = Recorder::default();
    let limiter = Limiter::new(&recorder, Dialect::Plain);
    let now = Now::At(Millis::new(1));
    // The recorder never replies; only the command it receives matters.
    let _ = limiter.check(&Subject::named("subject"), config.default_plan.limits(), 1, now).await;
    let sent = recorder.sent.take();
    let words: Vec<Value> = serde_json::from_str(&sent).unwrap_or_default();
    // EVALSHA, SHA-1, 1, key, now, …
    match (words.as_slice(), scenario.limits) {
        ([evalsha, sha1, keys, _, now, tail @ ..], [Limit { quota, .. }, ..])
            if evalsha == "EVALSHA" && keys == 1 && now == 1 =>
        {
            Ok(json!({
                "head": [evalsha, sha1, keys],
                "tail": tail,
                "quota": quota.units,
                "window": quota.window_ms.div_ceil(1000),
            }))
        }
        _ => Err(CheckError::Unexpected { sent }),
    }
}

/// The command of our Worker cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
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

/// The plan of every client.
pub(crate) const PLAN: &str = "bench";

#[cfg(test)]
mod tests {
    use sluicegate::redis::script::CHECK;

    use super::*;
    use crate::scenario::ALL;

    #[tokio::test]
    async fn the_floor_sends_what_our_worker_sends() {
        for scenario in ALL {
            let check = check(&scenario).await.unwrap();
            assert_eq!(check["head"], json!(["EVALSHA", CHECK.in_dialect(Dialect::Plain).sha1, 1]));
            let tail = check["tail"].as_array().unwrap();
            for limit in scenario.limits {
                assert!(tail.contains(&json!(limit.name)) && tail.contains(&json!(limit.algorithm)), "{tail:?}");
            }
        }
    }
}
