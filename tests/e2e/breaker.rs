//! An open circuit breaker: nothing waits for Redis, every kind of call is dropped, and the log says so.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::tenant::{ApiKey, TenantId};
use sluicegate_devstack::Fault;
use tokio::time::Instant;

use crate::bare::{Bare, Client, eventually};

fn configuration() -> Value {
    json!({
        "default_plan": "p",
        "identify": ["api_key", "address"],
        "timeout": "300ms",
        "on_outage": "closed",
        "plans": { "p": { "limits": [
            { "name": "hour", "algorithm": "token_bucket", "limit": 100_000, "window": "1h" },
            { "name": "places", "algorithm": "concurrency", "limit": 100, "lease": "10m" },
        ] } },
        "routes": [
            { "match": "* /late/*", "cost": 10, "settle": "x-tokens-used" },
            { "match": "* /open/*", "on_outage": "open" },
            { "match": "* /members/*", "require_key": true },
        ],
    })
}

/// Returns the value of a header in the head of a response.
fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name}: {head}"))
}

/// Returns the JSON lines of the log with this event.
fn lines(bare: &Bare, event: &str) -> Vec<Value> {
    let log = bare.log();
    let lines = log.lines().filter_map(crate::log::json);
    lines.filter(|line| line["event"] == event).collect()
}

async fn expect_line(bare: &Bare, event: &str, holds: impl Fn(&Value) -> bool) {
    eventually(event, || (lines(bare, event).iter().any(&holds), bare.log())).await;
}

/// Sends a `GET` with the valid API key of a tenant that no isolate knows.
async fn get_with_key(bare: &Bare, path: &str) -> Client {
    let key = ApiKey::generate(&TenantId::new("nobody").unwrap(), [7; 20]);
    let mut client = bare.send(&format!("GET {path}")).await;
    client.write(&format!("Authorization: Bearer {}\r\n\r\n", key.reveal())).await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_drops_every_call_and_says_so() {
    let bare = Bare::start(configuration()).await;
    assert!(bare.head("/x").await.starts_with("http/1.1 200"));
    bare.expect_leases(0).await;
    let mut late = bare.get("/late/gate?x-tokens-used=7").await;
    eventually("it is at the origin", || (bare.origin.requests_to("/late/gate") == 1, ())).await;
    assert_eq!(bare.leases(), 1);

    bare.network.inject(Fault::HoldResponses).await;
    let mut waits = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        assert!(bare.head("/x").await.starts_with("http/1.1 503"));
        waits.push(start.elapsed().as_millis());
    }
    println!("timeout 300 ms; answers while Redis hangs after {waits:?} ms");
    expect_line(&bare, "breaker", |line| line["state"] == "open" && line["error"] == "redis did not answer in time")
        .await;
    assert_eq!(lines(&bare, "breaker").len(), 1);

    // Nothing waits. The first pause is 0.8 to 1.2 s.
    let asked = bare.network.requests();
    let refused = bare.head("/x").await;
    let wait = header(&refused, "retry-after");
    assert!(refused.starts_with("http/1.1 503") && (wait == "1" || wait == "2"), "{refused}");
    assert!(header(&refused, "server-timing").ends_with("desc=\"unjudged\""), "{refused}");
    assert!(bare.head("/open/x").await.starts_with("http/1.1 200"));
    assert!(
        get_with_key(&bare, "/members/x").await.head().await.starts_with("http/1.1 503"),
        "no lookup of its tenant"
    );
    bare.origin.release("gate");
    assert!(late.head().await.starts_with("http/1.1 200"), "the response does not wait for its settlement");
    // On a slow machine the pause ends meanwhile, and one of these asks.
    let probes = bare.network.requests() - asked;
    assert!(probes <= 1, "{probes} of 5 calls");
    expect_line(&bare, "failure", |line| {
        let error = line["error"].as_str().unwrap_or_default();
        line["what"] == "settlement" && (error.contains("is not asked") || error.contains("in time"))
    })
    .await;

    // The release is tried again, so the place is free long before its lease ends.
    bare.network.heal().await;
    bare.expect_leases(0).await;
    let healthy = async || bare.head("/x").await.starts_with("http/1.1 200");
    let deadline = Instant::now() + RECOVERY;
    while !healthy().await {
        assert!(Instant::now() < deadline, "Redis decides again within {RECOVERY:?}");
    }
    expect_line(&bare, "breaker", |line| line["state"] == "closed").await;
}

/// Two pauses that follow each other, and a margin.
const RECOVERY: Duration = Duration::from_secs(10);
