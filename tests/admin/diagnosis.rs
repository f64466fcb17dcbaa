//! The diagnosis of a deployment.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

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
