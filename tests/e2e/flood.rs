//! Floods of requests that are refused cost few calls, few lines of the log, and little memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::bare::Bare;
use crate::support::until;

fn one_an_hour() -> Value {
    json!({
        "default_plan": "p",
        "timeout": "30s",
        "on_outage": "closed",
        "plans": { "p": { "limits": [{ "name": "hour", "algorithm": "sliding_log", "limit": 1, "window": "1h" }] } },
    })
}

/// Returns the lines of the log about refusals, and the sum of the counts in them.
fn refusals(bare: &Bare) -> (usize, u64) {
    let log = bare.log();
    let lines = log.lines().filter_map(crate::log::json);
    let refusals: Vec<_> =
        lines.filter(|line| line["event"].as_str().is_some_and(|event| event.contains("refus"))).collect();
    (refusals.len(), refusals.iter().filter_map(|line| line["count"].as_u64()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_cannot_cause_calls_or_lines() {
    let bare = Bare::start(one_an_hour()).await;
    for status in ["200", "429"] {
        assert!(bare.head("/flood").await.starts_with(&format!("http/1.1 {status}")));
    }
    let before = bare.network.requests();
    let (end, slow) = (Instant::now() + DURATION, AtomicU64::new(0));
    let refused: u64 = join_all((0..CONNECTIONS).map(|_| flood(&bare, end, &slow))).await.into_iter().sum();
    let calls = bare.network.requests() - before;
    let (lines, _) = refusals(&bare);
    println!("{refused} refused requests in {DURATION:?}: {calls} calls, {lines} lines");
    assert!(refused > 1000, "{refused} requests are no flood");
    // While one request renews the refusal too slowly, each of the other connections may ask once.
    let most = MAX_CALLS + slow.into_inner() * u64::from(CONNECTIONS - 1);
    assert!(calls <= most, "{calls} calls for {refused} refused requests, at most {most}");
    assert!((1..=MAX_LINES).contains(&lines), "{lines} lines for {refused} refused requests:\n{}", bare.log());
    assert_eq!(bare.origin.requests_to("/flood"), 1);
    until("a line counts the refusals", async || {
        bare.head("/flood").await;
        refusals(&bare).1 >= refused / 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refused_clients_cause_few_lines_and_bounded_memory() {
    let bare = Bare::start(one_an_hour()).await;
    let mut resident = Vec::new();
    for clients in [0..3_000, 3_000..6_000, 6_000..9_000, 9_000..12_000_u32] {
        let some = |start: u32| {
            let (bare, clients) = (&bare, clients.clone().skip(start as usize).step_by(CONNECTIONS as usize));
            async move {
                let mut connection = bare.get("/many").await;
                connection.response().await;
                for client in clients {
                    let [_, _, third, fourth] = client.to_be_bytes();
                    let address = format!("10.0.{third}.{fourth}");
                    for status in ["200", "429"] {
                        connection
                            .write(&format!("GET /many HTTP/1.1\r\nHost: edge\r\nCF-Connecting-IP: {address}\r\n\r\n"))
                            .await;
                        let head = connection.response().await;
                        assert!(head.starts_with(&format!("http/1.1 {status}")), "{address}: {head}");
                    }
                }
            }
        };
        join_all((0..CONNECTIONS).map(some)).await;
        resident.push(bare.resident_memory());
    }
    let (lines, counted) = refusals(&bare);
    println!("12,000 clients: {lines} lines, {counted} refusals in summaries, resident memory {resident:?}");
    // A hundred kinds of refusals have a line of their own in each ten seconds.
    assert!((100..3_000).contains(&lines) && counted > 3_000, "{lines} lines, {counted} counted");
    let (before, after) = (resident[1], resident[3]);
    assert!(after * 10 < before * 13, "{before} bytes after half of the clients, {after} bytes after all");
}

/// Sends requests on one connection until `end`, one every `CONNECTIONS / RATE` seconds. Returns how many were refused,
/// which is all of them, and counts in `slow` those that waited longer than a renewal may take.
async fn flood(bare: &Bare, end: Instant, slow: &AtomicU64) -> u64 {
    let request = "GET /flood HTTP/1.1\r\nHost: edge\r\nCF-Connecting-IP: 192.0.2.1\r\n\r\n";
    let mut client = bare.get("/flood").await;
    let mut pace = interval(Duration::from_secs(1) * CONNECTIONS / RATE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut refused = 0;
    loop {
        let sent = Instant::now();
        let head = client.response().await;
        if sent.elapsed() > RENEWAL {
            slow.fetch_add(1, Ordering::Relaxed);
        }
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

/// An isolate asks again before the end of each `local_refusals`, which is one second.
const MAX_CALLS: u64 = 15;

/// How long before its end a refusal is renewed, and a margin less.
const RENEWAL: Duration = Duration::from_millis(150);

/// The first refusal at once, and one line per ten seconds.
const MAX_LINES: usize = 3;
