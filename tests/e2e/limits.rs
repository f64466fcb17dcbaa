//! The limiter: how many requests pass, what they cost, what the responses contain.

use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate_bridge::RedisServer;
use tokio::io::AsyncWriteExt;

use crate::support::{body, bridge_count, get, header, limits, stack};

fn flush(redis: &RedisServer, what: &str) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    redis::cmd(what.split(' ').next().unwrap()).arg(what.split(' ').nth(1)).exec(&mut connection).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_limit_reaches_the_origin_twenty_times() {
    let stack =
        stack(limits(&json!([{ "name": "minute", "algorithm": "sliding_log", "limit": 50, "window": "60s" }]))).await;
    for round in 0..20 {
        flush(&stack.redis, "FLUSHALL");
        let reached = stack.origin.requests();
        let trips = bridge_count(&stack, "http_requests_total").await;
        let requests = (0..200).map(|_| get(&stack, "/hello").send());
        let statuses: Vec<u16> = join_all(requests).await.into_iter().map(|r| r.unwrap().status().as_u16()).collect();
        let count = |status| statuses.iter().filter(|s| **s == status).count();
        assert_eq!((count(200), count(429)), (50, 150), "round {round}");
        assert_eq!(stack.origin.requests() - reached, 50, "round {round}");
        if round > 0 {
            assert_eq!(bridge_count(&stack, "http_requests_total").await - trips, 200, "one round trip a request");
        }
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_flush_under_load_changes_no_response() {
    let stack =
        stack(limits(&json!([{ "name": "minute", "algorithm": "sliding_log", "limit": 50, "window": "60s" }]))).await;
    let load = join_all((0..300).map(|_| async { get(&stack, "/hello").send().await.unwrap().status().as_u16() }));
    let flushes = async {
        while bridge_count(&stack, "http_requests_total").await < 250 {
            flush(&stack.redis, "SCRIPT FLUSH");
        }
    };
    let (statuses, ()) = tokio::join!(load, flushes);
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(200), count(429)), (50, 250));
    assert!(bridge_count(&stack, "command=\"eval\"").await > 1, "the flushes hit");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_have_ratelimit_headers_and_refusals_retry_after() {
    let stack = stack(limits(&json!([
        { "name": "second", "algorithm": "token_bucket", "limit": 1, "window": "1s", "burst": 2 },
        { "name": "day", "algorithm": "sliding_log", "limit": 100, "window": "1d" },
    ])))
    .await;
    let first = get(&stack, "/hello").send().await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(header(&first, "ratelimit-policy"), r#""second";q=1;w=1;burst=2, "day";q=100;w=86400"#);
    assert_eq!(header(&first, "ratelimit"), r#""second";r=1;t=1, "day";r=99;t=86400"#);
    let timing = header(&first, "server-timing");
    assert!(timing.starts_with("limiter;dur=") && !timing.contains("desc"), "{timing}");
    assert_eq!(header(&first, "retry-after"), "");

    let reached = stack.origin.requests();
    let refused = loop {
        let answer = get(&stack, "/hello").send().await.unwrap();
        if answer.status() == 429 {
            break answer;
        }
    };
    let passed = stack.origin.requests() - reached;
    assert!((1..10).contains(&passed), "{passed} passed");
    assert_eq!(header(&refused, "content-type"), "application/problem+json");
    assert_eq!(header(&refused, "cache-control"), "no-store");
    assert_eq!(header(&refused, "retry-after"), "1");
    assert!(header(&refused, "server-timing").ends_with(";desc=\"refused\""), "{}", header(&refused, "server-timing"));
    let [policy, limit] = ["ratelimit-policy", "ratelimit"].map(|name| header(&refused, name));
    let items = structured_fields(&json!([policy, limit])).await;
    assert_eq!(items[0], json!([["second", { "q": 1, "w": 1, "burst": 2 }], ["day", { "q": 100, "w": 86400 }]]));
    assert_eq!(items[1], json!([["second", { "r": 0, "t": 1 }], ["day", { "r": 99 - passed }]]));

    let milliseconds = header(&refused, "retry-after-ms");
    let problem = body(refused).await;
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(problem["status"], 429);
    assert_eq!(problem["violated-policies"], json!(["second"]));
    let wait = problem["retry-after-ms"].as_u64().unwrap();
    assert!((1..=1000).contains(&wait), "{wait}");
    assert_eq!(milliseconds, wait.to_string());

    // The edge uses the machine's clock, which a test cannot move, so this test waits for the promised time.
    tokio::time::sleep(Duration::from_millis(wait)).await;
    assert_eq!(get(&stack, "/hello").send().await.unwrap().status(), 200);
    stack.stop().await;
}

/// Parses header values with an independent implementation of RFC 9651.
async fn structured_fields(values: &Value) -> Value {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut node = tokio::process::Command::new(format!("{root}/node_modules/.bin/node"))
        .arg(format!("{root}/tests/e2e/structured-fields.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is installed (run `make setup`)");
    node.stdin.take().unwrap().write_all(values.to_string().as_bytes()).await.unwrap();
    let output = node.wait_with_output().await.unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_redis_can_decide() {
    let mut config = limits(&json!([{ "name": "hour", "algorithm": "token_bucket", "limit": 2, "window": "1h" }]));
    config["clock"] = json!("redis");
    let stack = stack(config).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&stack, "/").send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
    let client = redis::Client::open(stack.redis.url()).unwrap();
    let statistics: String =
        redis::cmd("INFO").arg("commandstats").query(&mut client.get_connection().unwrap()).unwrap();
    assert!(statistics.contains("cmdstat_time:calls=3,"), "{statistics}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_sluicegate_paths_are_reserved_and_unlimited() {
    let stack =
        stack(limits(&json!([{ "name": "hour", "algorithm": "token_bucket", "limit": 4, "window": "1h" }]))).await;
    for _ in 0..6 {
        assert_eq!(get(&stack, "/_sluicegate/health").send().await.unwrap().status(), 200);
    }
    let nothing = get(&stack, "/_sluicegate/nothing").send().await.unwrap();
    assert_eq!(
        (nothing.status().as_u16(), header(&nothing, "content-type").as_str()),
        (404, "application/problem+json")
    );
    assert_eq!(get(&stack, "/_sluicegate/demo/").send().await.unwrap().status(), 200);
    let posted =
        crate::support::client().post(format!("{}/_sluicegate/health", stack.worker.url())).send().await.unwrap();
    assert_eq!((posted.status().as_u16(), header(&posted, "allow").as_str()), (405, "GET, HEAD"));
    let pings = bridge_count(&stack, "command=\"ping\"").await;
    for _ in 0..20 {
        assert_eq!(get(&stack, "/_sluicegate/health").send().await.unwrap().status(), 200);
    }
    let pings = bridge_count(&stack, "command=\"ping\"").await - pings;
    assert!(pings < 20, "everybody may ask for the health, and Redis is not asked each time: {pings}");
    assert_eq!(stack.origin.requests(), 0);
    for path in ["/_sluicegate", "/_sluicegates/health", "/index.html", "/x/_sluicegate/health"] {
        let echo = body(get(&stack, path).send().await.unwrap()).await;
        assert_eq!(echo["target"], path);
    }
    assert_eq!(get(&stack, "/").send().await.unwrap().status(), 429);
    stack.stop().await;
}
