//! Units that are taken in advance: few calls, true headers, and what is left is given back.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate_devstack::{Fault, Stack};
use tokio::time::timeout;

use crate::api::{api, patch, tenant_with_key, usage};
use crate::bare::Bare;
use crate::direct_redis::Inside;
use crate::log;
use crate::support::{get, get_as, header, limits, stack, status, trips, until};

const QUOTA: u64 = 1_000_000;

/// Two packed limits that nobody reaches, and units in advance.
fn ahead(hold: &str) -> Value {
    let mut config = limits(&json!([
        { "name": "burst", "algorithm": "token_bucket", "limit": 1_000_000, "window": "5m" },
        { "name": "day", "algorithm": "fixed_window", "limit": QUOTA, "window": "3650d" },
    ]));
    config["plans"]["p"]["prefetch"] = json!({ "units": 1000, "hold": hold });
    config["identify"] = json!(["api_key", "address"]);
    config["log_allowed_one_in"] = json!(1);
    config["usage"] = json!(true);
    config
}

/// Returns what remains of the limit `day` according to the header.
fn remaining(head: &str) -> u64 {
    let item = head.split("\"day\";r=").nth(1).unwrap_or_else(|| panic!("no limit in {head}"));
    item.split([';', ',', '\r', '"']).next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_client_costs_few_commands_and_no_waiting() {
    const CONNECTIONS: u64 = 64;
    const EACH: u64 = 250;
    let mut config = ahead("2s");
    config["log_allowed_one_in"] = json!(0);
    let bare = Bare::start(config.clone()).await;
    bare.head("/warm").await;
    let before = bare.commands();
    let at_once: usize = join_all((0..CONNECTIONS).map(async |_| {
        let mut client = bare.get("/hot").await;
        let mut at_once = 0;
        for request in 1..=EACH {
            let head = client.response().await;
            assert!(head.starts_with("http/1.1 200"), "{head}");
            at_once += usize::from(head.contains("limiter;dur=0\r\n"));
            if request < EACH {
                client.write("GET /hot HTTP/1.1\r\nHost: edge\r\nCF-Connecting-IP: 192.0.2.1\r\n\r\n").await;
            }
        }
        at_once
    }))
    .await
    .into_iter()
    .sum();
    let (commands, requests) = (bare.commands() - before, CONNECTIONS * EACH);
    println!("{requests} requests: {commands} commands, {at_once} decided in less than a millisecond");
    assert!(commands * 10 <= requests, "{commands} commands for {requests} requests");
    assert!(at_once as u64 * 2 > requests, "{at_once} of {requests} waited for nothing");
    assert_eq!(bare.origin.requests_to("/hot"), requests);
    // What is left is given back.
    let inside = Inside::at(&bare.redis, &config).await;
    until("what is left is given back", async || inside.left("192.0.2.1", "day").await == QUOTA - requests - 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_given_back_without_its_client() {
    let config = ahead("2s");
    let bare = Bare::start(config.clone()).await;
    let inside = Inside::at(&bare.redis, &config).await;
    for _ in 0..20 {
        bare.head("/x").await;
    }
    let held = QUOTA - 20 - inside.left("192.0.2.1", "day").await;
    assert!(held > 0, "units are held");
    // A request may be decided although its client has left before it is forwarded. On a busy machine it may leave earlier.
    let decided = || bare.log().lines().filter_map(log::json).filter(|line| line["verdict"] == "allow").count() as u64;
    until("requests without their clients are decided", async || {
        bare.get("/x").await.reset();
        decided() >= 30
    })
    .await;
    until("what is left is given back", async || inside.left("192.0.2.1", "day").await == QUOTA - decided()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_count_what_is_held() {
    let stack = stack(ahead("10s")).await;
    for passed in 1..=40 {
        let response = get(&stack, "/x").send().await.unwrap();
        assert_eq!(remaining(&header(&response, "ratelimit")), QUOTA - passed);
        assert_eq!(header(&response, "ratelimit-policy").matches("q=").count(), 2);
    }
    let trips = trips(&stack).await;
    // The lots grow with the demand.
    assert!(trips <= 40 / 3, "{trips} calls for 40 requests");
    let by = |name: &str| log::of_path(&stack, "/x").iter().filter(|line| line["by"] == name).count();
    until("each request has a line", async || by("redis") + by("prefetch") == 40).await;
    assert!(by("prefetch") >= 40 * 2 / 3, "{} were paid in advance", by("prefetch"));
    stack.stop().await;
}

/// Requests with this key until units are held.
async fn hold(stack: &Stack, key: &str) {
    for _ in 0..20 {
        assert_eq!(status(get_as(stack, key, "/x")).await, 200);
    }
    let before = trips(stack).await;
    assert_eq!(status(get_as(stack, key, "/x")).await, 200);
    assert_eq!(trips(stack).await, before, "units are held");
}

const HOLD: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_tenant_spends_nothing_of_before() {
    let stack = stack(ahead("10s")).await;
    let key = tenant_with_key(&stack, "acme", "p").await;
    hold(&stack, &key).await;

    assert_eq!(status(api(&stack, "POST", "/tenants/acme/reset", &Value::Null)).await, 204);
    let response = get_as(&stack, &key, "/x").send().await.unwrap();
    assert_eq!(remaining(&header(&response, "ratelimit")), QUOTA - 1, "after a reset");

    // Its limits stay, but what is held is given back.
    hold(&stack, &key).await;
    patch(&stack, "acme", json!({ "metadata": { "company": "Acme" } })).await;
    let given_back = until("what is held is given back", async || usage(&stack, "acme").await["today"]["units"] == 22);
    timeout(HOLD / 2, given_back).await.expect("long before the hold ends");
    let before = trips(&stack).await;
    let response = get_as(&stack, &key, "/x").send().await.unwrap();
    assert_eq!(remaining(&header(&response, "ratelimit")), QUOTA - 23, "after a change that keeps the limits");
    assert!(trips(&stack).await > before, "Redis was asked");

    hold(&stack, &key).await;
    patch(&stack, "acme", json!({ "overrides": { "day": { "limit": 3 } } })).await;
    assert_eq!(status(get_as(&stack, &key, "/x")).await, 429, "after a change of the limits");
    patch(&stack, "acme", json!({ "overrides": null })).await;

    hold(&stack, &key).await;
    patch(&stack, "acme", json!({ "status": "suspended" })).await;
    assert_eq!(status(get_as(&stack, &key, "/x")).await, 403, "after a suspension");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usage_is_exact_after_the_hold() {
    let stack = stack(ahead("1s")).await;
    let key = tenant_with_key(&stack, "acme", "p").await;
    hold(&stack, &key).await;
    until("the usage is that of the requests", async || usage(&stack, "acme").await["today"]["units"] == 21).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_units_pass_while_redis_is_away() {
    let mut config = ahead("10s");
    config["timeout"] = json!("250ms");
    let bare = Bare::start(config).await;
    for _ in 0..40 {
        bare.head("/x").await;
    }
    bare.network.inject(Fault::HoldRequests).await;
    let head = bare.head("/x").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    timeout(HOLD * 2, async { while bare.head("/x").await.starts_with("http/1.1 200") {} })
        .await
        .expect("the units that are held run out");
}
