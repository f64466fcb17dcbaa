//! A client that floods a limit which refuses it costs few calls and few lines of the log.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::bare::Bare;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_cannot_cause_calls_or_lines() {
    let bare = Bare::start(json!({
        "default_plan": "p",
        "timeout": "30s",
        "on_outage": "closed",
        "plans": { "p": { "limits": [{ "name": "hour", "algorithm": "sliding_log", "limit": 1, "window": "1h" }] } },
    }))
    .await;
    for status in ["200", "429"] {
        assert!(bare.head("/flood").await.starts_with(&format!("http/1.1 {status}")));
    }
    let before = bare.network.requests();
    let end = Instant::now() + DURATION;
    let refused: u32 = join_all((0..CONNECTIONS).map(|_| flood(&bare, end))).await.into_iter().sum();
    let calls = bare.network.requests() - before;
    let log = bare.log();
    let lines = log.lines().filter(|line| line.contains("refused")).count();
    println!("{refused} refused requests in {DURATION:?}: {calls} calls, {lines} lines");
    assert!(calls <= MAX_CALLS, "{calls} calls for {refused} refused requests");
    assert!(
        log.contains("\"event\":\"refused\"") && lines <= MAX_LINES,
        "{lines} lines for {refused} refused requests:\n{log}"
    );
    assert_eq!(bare.origin.requests_to("/flood"), 1);
}

/// Sends requests on one connection until `end`, one every `CONNECTIONS / RATE` seconds. Returns how many were refused,
/// which is all of them.
async fn flood(bare: &Bare, end: Instant) -> u32 {
    let request = "GET /flood HTTP/1.1\r\nHost: edge\r\nCF-Connecting-IP: 192.0.2.1\r\n\r\n";
    let mut client = bare.get("/flood").await;
    let mut pace = interval(Duration::from_secs(1) * CONNECTIONS / RATE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut refused = 0;
    loop {
        let head = client.response().await;
        assert!(head.starts_with("http/1.1 429") && head.contains("\r\nretry-after: "), "{head}");
        refused += 1;
        pace.tick().await;
        if Instant::now() >= end {
            return refused;
        }
        client.write(request).await;
    }
}

/// Requests per second, over all connections.
const RATE: u32 = 2_000;
const CONNECTIONS: u32 = 3;
const DURATION: Duration = Duration::from_secs(10);

/// An isolate asks again shortly before the end of each `local_refusals`, which is one second. If a busy machine answers
/// too late, each connection may ask once more.
const MAX_CALLS: u64 = 15;

/// The first refusal at once, and one line per ten seconds.
const MAX_LINES: usize = 3;
