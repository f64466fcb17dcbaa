//! The diagnosis of a deployment.

use std::sync::atomic::Ordering;

use reqwest::Url;
use serde_json::{Value, json};
use sluicegate::limiter::breaker::BreakerState;
use sluicegate::time::Millis;

use crate::service::Service;

/// Returns the texts of the problems found.
fn findings(body: &Value) -> Vec<&str> {
    body["problems"].as_array().unwrap().iter().map(|found| found["what"].as_str().unwrap()).collect()
}

/// Sets the clock of the API to the time of Redis.
fn set_clock(service: &mut Service) {
    let (seconds, micros): (u64, u64) = service.redis(&["TIME"]);
    service.now.store(seconds * 1000 + micros / 1000, Ordering::SeqCst);
}

#[tokio::test]
async fn a_healthy_deployment_has_no_problems() {
    let mut service = Service::start().await;
    set_clock(&mut service);
    let reply = service.call("GET", "/diagnosis", Value::Null).await;
    assert_eq!((reply.status, findings(&reply.body)), (200, Vec::<&str>::new()));
    assert_eq!(reply.body["origins"], json!(["zone"]));
    let redis = &reply.body["redis"];
    assert_eq!((&redis["reachable"], &redis["scripts_work"]), (&json!(true), &json!(true)));
    assert_eq!((&redis["scripts"], &redis["eviction_policy"]), (&json!("plain"), &json!("noeviction")));
    assert!(redis["version"].as_str().unwrap().split('.').count() >= 2);
    let checks = reply.body["checks"].as_array().unwrap().iter();
    let found: Vec<_> =
        checks.map(|check| (check["check"].as_str().unwrap(), check["level"].as_str().unwrap())).collect();
    let names = ["origin", "redis", "round trip", "clock", "scripts", "eviction"];
    assert_eq!(found, names.map(|name| (name, "ok")));
    assert_eq!(service.redis::<u64>(&["DBSIZE"]), 0, "the diagnosis writes nothing");
}

#[tokio::test]
async fn diagnosis_names_every_problem() {
    let mut service = Service::start().await;
    set_clock(&mut service);
    service.advance(90_000);
    service.rejected_config = Some("timeout: expected 1ms to 30s, found 0ms");
    service.redis::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let reply = service.call("GET", "/diagnosis", Value::Null).await;
    let found = findings(&reply.body).join("; ");
    assert!(found.contains("last one stays in force: timeout: expected"), "{found}");
    assert!(found.contains("clocks") && found.contains("allkeys-lru"), "{found}");
    let skew = reply.body["redis"]["clock_skew_ms"].as_i64().unwrap();
    assert!((-91_000..=-80_000).contains(&skew), "{skew}");
}

#[tokio::test]
async fn diagnosis_knows_where_it_was_asked_and_the_circuit_breaker() {
    let mut service = Service::start().await;
    set_clock(&mut service);
    service.breaker = Some(BreakerState::Open(Millis::from_secs(1)));
    service.url = Some(Url::parse("https://gate.me.workers.dev/_sluicegate/v1/diagnosis").unwrap());
    let reply = service.call("GET", "/diagnosis", Value::Null).await;
    let found = findings(&reply.body);
    assert!(found[0].starts_with("open: calls to Redis failed"), "{found:?}");
    // The origin of the tests is the zone, and workers.dev has none.
    assert!(found[1].starts_with("zone: a request to workers.dev comes back"), "{found:?}");
}
