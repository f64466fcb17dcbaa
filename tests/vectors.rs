//! The golden cases of `tests/vectors/`, on every target: the same file runs natively, in Node and in a browser.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sluicegate::config::Config;
use sluicegate::facts::Facts;
use sluicegate::limiter::{Limiter, Now};
use sluicegate::policy::{Limit, LimitName};
use sluicegate::problem::Problem;
use sluicegate::redis::{Answer, RedisError, Transport};
use sluicegate::script::Spelling;
use sluicegate::subject::Subject;
use sluicegate::time::Millis;
use sluicegate::{headers, verdict::Verdict};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn cases<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    serde_json::from_str(text).expect("the vectors are JSON of this shape")
}

#[derive(Deserialize)]
struct SubjectCase {
    address: Option<String>,
    ipv6_prefix: u8,
    key: String,
}

#[test]
fn subjects() {
    for case in cases::<SubjectCase>(include_str!("vectors/subjects.json")) {
        let config = configuration(&json!({ "ipv6_prefix": case.ipv6_prefix }).as_object().unwrap().clone()).unwrap();
        let address = case.address.map(|address| address.parse().unwrap());
        let facts = Facts { method: "GET".to_owned(), path: "/".to_owned(), address };
        assert_eq!(Subject::identify(&facts, &config).state_key(), case.key);
    }
}

#[derive(Deserialize)]
struct ConfigurationCase {
    change: Map<String, Value>,
    error: Option<String>,
}

#[test]
fn configurations() {
    for case in cases::<ConfigurationCase>(include_str!("vectors/configurations.json")) {
        assert_eq!(configuration(&case.change).err(), case.error);
    }
}

/// A valid configuration with these fields changed.
fn configuration(change: &Map<String, Value>) -> Result<Config, String> {
    let mut config = json!({
        "default_plan": "p",
        "plans": { "p": { "limits": [{ "name": "l", "algorithm": "sliding_log", "limit": 1, "window": "1s" }] } },
    });
    config.as_object_mut().unwrap().extend(change.clone());
    Config::from_json(&config.to_string()).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct VerdictCase {
    numbers: Vec<i64>,
    fields: Vec<(String, String)>,
    body: Option<Value>,
}

#[test]
fn verdicts() {
    let name = |text| LimitName::new(text).unwrap();
    let limits = [
        Limit::token_bucket(name("burst"), 20, Millis::from_secs(10), None).unwrap(),
        Limit::sliding_log(name("minute"), 60, Millis::from_secs(60)).unwrap(),
    ];
    for case in cases::<VerdictCase>(include_str!("vectors/verdicts.json")) {
        let limiter = Limiter::new(Canned(json!({ "result": case.numbers }).to_string()), Spelling::Plain);
        let subject = Subject::named("someone");
        let check = limiter.check(&subject, &limits, 1, Now::At(Millis::new(1)));
        let Poll::Ready(verdict) = pin!(check).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing here waits");
        };
        let verdict = verdict.unwrap();
        let fields: Vec<_> =
            headers::fields(&verdict).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(fields, case.fields);
        let body = match &verdict {
            Verdict::Allow(_) => None,
            Verdict::Deny(_) => Some(serde_json::from_str(&Problem::quota_exceeded(&verdict).body()).unwrap()),
        };
        assert_eq!(body, case.body);
    }
}

/// Answers every question the same.
struct Canned(String);

impl Transport for Canned {
    async fn post(&self, _body: String) -> Result<Answer, RedisError> {
        Ok(Answer { status: 200, body: self.0.clone().into_bytes() })
    }
}
