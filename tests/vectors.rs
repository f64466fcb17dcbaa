//! The golden cases in `tests/vectors/`. The same tests run natively, in Node and in a browser.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sluicegate::config::Config;
use sluicegate::http::problem::Problem;
use sluicegate::http::rate_limit;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{CheckRequest, LeaseId, Limit, LimitName, Retry, Subject, Verdict};
use sluicegate::limiter::{Limiter, Now};
use sluicegate::redis::script::{self, Dialect};
use sluicegate::redis::{RedisError, Response, Transport};
use sluicegate::time::Millis;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn cases<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    serde_json::from_str(text).expect("the vectors match the type of a case")
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
        let address = case.address.map(|address| address.parse().unwrap());
        assert_eq!(Subject::client(address, case.ipv6_prefix).state_key(), case.key);
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

/// Parses a valid configuration with some fields changed.
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
        // The reply ends with the time.
        let reply = [case.numbers, vec![1]].concat();
        let limiter = Limiter::new(FixedReply(json!({ "result": reply }).to_string()), Dialect::Plain);
        let subject = Subject::named("someone");
        let check = limiter.check(&subject, &limits, 1, Now::At(Millis::new(1)));
        let Poll::Ready(verdict) = pin!(check).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the transport replies at once");
        };
        let verdict = verdict.unwrap();
        let fields: Vec<_> =
            rate_limit::fields(&verdict, false).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(fields, case.fields);
        let body = match &verdict {
            Verdict::Allow(_) => None,
            Verdict::Deny(_) => Some(serde_json::from_str(&Problem::quota_exceeded(&verdict).body()).unwrap()),
        };
        assert_eq!(body, case.body);
    }
}

#[derive(Deserialize)]
struct AlgorithmCase {
    name: String,
    limits: Value,
    calls: Vec<CallCase>,
}

/// A call of the limiter: requests, each with a cost and optionally a lease, and the expected numbers in the order of
/// the script.
#[derive(Deserialize)]
struct CallCase {
    now: u64,
    requests: Vec<(u64, Option<String>)>,
    numbers: Vec<i64>,
}

#[test]
fn algorithms() {
    for case in cases::<AlgorithmCase>(include_str!("vectors/algorithms.json")) {
        let change = json!({ "plans": { "p": { "limits": case.limits } } });
        let plan = configuration(change.as_object().unwrap()).unwrap().default_plan;
        let mut local = MemoryLimiter::new(Capacity { subjects: 1, entries: usize::MAX });
        for (i, call) in case.calls.iter().enumerate() {
            let leases: Vec<Option<LeaseId>> =
                call.requests.iter().map(|(_, lease)| lease.as_deref().map(|id| LeaseId::new(id).unwrap())).collect();
            let requests = call.requests.iter().zip(&leases);
            let requests = requests.map(|((cost, _), lease)| CheckRequest { cost: *cost, lease: lease.as_ref() });
            let subject = Subject::named("someone");
            let verdicts = local.check_batch(&subject, plan.limits(), requests, Millis::new(call.now)).unwrap();
            let numbers: Vec<i64> = verdicts.iter().flat_map(numbers).collect();
            assert_eq!(numbers, call.numbers, "{}: call {i}", case.name);
        }
    }
}

/// Returns a verdict as the numbers that `check.lua` returns.
fn numbers(verdict: &Verdict) -> Vec<i64> {
    let mut numbers = vec![i64::from(verdict.is_allow())];
    for budget in verdict.budgets() {
        let retry = match budget.retry {
            Retry::Now => 0,
            Retry::After(wait) => wait.get().cast_signed(),
            Retry::Never => -1,
        };
        numbers.extend([budget.remaining.cast_signed(), retry, budget.reset.get().cast_signed()]);
    }
    numbers
}

/// A transport with the same reply to every request.
struct FixedReply(String);

impl Transport for FixedReply {
    async fn post(&self, _body: String) -> Result<Response, RedisError> {
        Ok(Response { status: 200, body: self.0.clone().into_bytes() })
    }
}

#[test]
fn shas_are_the_same_on_every_target() {
    for script in script::ALL {
        for dialect in [Dialect::Plain, Dialect::KeyLocking] {
            let sha1 = &script.in_dialect(dialect).sha1;
            assert!(sha1.len() == 40 && sha1.bytes().all(|digit| digit.is_ascii_hexdigit()), "{sha1}");
        }
    }
}
