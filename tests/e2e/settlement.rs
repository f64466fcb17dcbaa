//! Settlement after the response: the real cost is charged once, whatever the client and the origin do.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate_devstack::{Fault, Stack};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::direct_redis::Inside;
use crate::support::{ADDRESS, client, get_from, header, plenty, problem, stack, status, trips, until};

fn configuration() -> Value {
    let mut config = plenty();
    let tokens = json!([{ "name": "tokens", "algorithm": "sliding_log", "limit": 100, "window": "1h" }]);
    let route = |pattern: &str, more: Value| {
        let mut route = json!({ "match": pattern, "cost": 10, "limits": tokens });
        route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        route
    };
    config["plans"]["p"]["limits"] =
        json!([{ "name": "requests", "algorithm": "sliding_log", "limit": 10_000, "window": "1h" }]);
    config["routes"] = json!([
        route("GET /status/*", json!({ "refund_on": ["5xx"] })),
        route("POST /status/*", json!({ "count_on": ["401", "403"] })),
        route("* /slow/*", json!({ "refund_on": ["5xx"] })),
        route("* /*", json!({ "settle": "X-Tokens-Used" })),
    ]);
    config
}

/// All tests share one stack; each client has its own address.
#[tokio::test(flavor = "multi_thread")]
async fn settlements_charge_the_real_cost() {
    let mut stack = stack(configuration()).await;
    let inside = Inside::of(&stack, &configuration()).await;
    // Loads the scripts, so that each later check is one round trip.
    get_from(&stack, "192.0.2.250", "/headers?x-tokens-used=7").send().await.unwrap();
    expect_left(&inside, "192.0.2.250", 93, 9999).await;
    let before = trips(&stack).await;
    let mut settled = the_origin_tells_the_cost(&stack, &inside).await;
    settled += some_answers_are_free(&stack, &inside).await;
    settled += many_at_once(&stack, &inside).await;
    settled += the_client_goes(&stack, &inside).await;
    settled += the_client_does_not_read(&stack, &inside).await;
    settled += the_answer_does_not_wait(&stack, &inside).await;
    settled += the_origin_does_not_answer(&mut stack, &inside).await;
    // No settlement is pending, and none happened twice.
    let asked = trips(&stack).await - before;
    assert_eq!(asked, settled.requests + settled.corrections, "{settled:?}");
    stack.stop().await;
}

/// What a test sent, and how many corrections it must have caused.
#[derive(Debug, Clone, Copy)]
struct Settled {
    requests: u64,
    corrections: u64,
}

impl std::ops::AddAssign for Settled {
    fn add_assign(&mut self, more: Settled) {
        self.requests += more.requests;
        self.corrections += more.corrections;
    }
}

async fn expect_left(inside: &Inside, address: &str, tokens: u64, requests: u64) {
    let mut found = (0, 0);
    let what = format!("{address} has {tokens} tokens and {requests} requests left");
    until(&what, async || {
        found = (inside.left(address, "tokens").await, inside.left(address, "requests").await);
        found == (tokens, requests)
    })
    .await;
}

async fn the_origin_tells_the_cost(stack: &Stack, inside: &Inside) -> Settled {
    for (address, path, left) in [
        ("192.0.2.1", "/headers?x-tokens-used=7", 93),
        ("192.0.2.2", "/headers?x-tokens-used=25", 75),
        ("192.0.2.3", "/headers?x-tokens-used=0", 100),
        ("192.0.2.4", "/headers?X-Tokens-Used=10", 90),
        ("192.0.2.5", "/headers", 90),
        ("192.0.2.6", "/headers?x-tokens-used=seven", 90),
        ("192.0.2.7", "/headers?x-tokens-used=-7", 90),
        ("192.0.2.8", "/headers?x-tokens-used=%2012%20", 88),
        ("192.0.2.9", "/headers?x-tokens-used=5000", 0),
        ("192.0.2.10", "/stream?n=2&every=1&tokens=3", 97),
        ("192.0.2.11", "/broken?n=2&every=1&tokens=3", 97),
    ] {
        let answer = get_from(stack, address, path).send().await.unwrap();
        let limits = header(&answer, "ratelimit");
        assert!(limits.ends_with("\"tokens\";r=90;t=3600"), "{path}: the charge comes first: {limits}");
        assert!(limits.starts_with("\"requests\";r=9999;"), "{path}: a plan counts requests: {limits}");
        expect_left(inside, address, left, 9999).await;
    }
    assert_eq!(problem(get_from(stack, "192.0.2.9", "/headers"), 429).await, "quota-exceeded");
    Settled { requests: 12, corrections: 7 }
}

async fn some_answers_are_free(stack: &Stack, inside: &Inside) -> Settled {
    for (address, method, code, free) in [
        ("192.0.2.20", "GET", 503, true),
        ("192.0.2.21", "GET", 599, true),
        ("192.0.2.22", "GET", 404, false),
        ("192.0.2.23", "GET", 304, false),
        ("192.0.2.24", "POST", 200, true),
        ("192.0.2.25", "POST", 401, false),
        ("192.0.2.26", "POST", 503, true),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/status/{code}", stack.worker.url());
        let request = client().request(method, url).header(ADDRESS, address);
        assert_eq!(status(request).await, code);
        let (tokens, requests) = if free { (100, 10_000) } else { (90, 9999) };
        expect_left(inside, address, tokens, requests).await;
    }
    // The cost and the request count are two corrections.
    Settled { requests: 7, corrections: 4 * 2 }
}

async fn many_at_once(stack: &Stack, inside: &Inside) -> Settled {
    let requests = (1..=9).map(|i| get_from(stack, "192.0.2.30", &format!("/headers?x-tokens-used={i}")).send());
    assert!(join_all(requests).await.into_iter().all(|answer| answer.unwrap().status() == 200));
    expect_left(inside, "192.0.2.30", 100 - 45, 9991).await;
    assert_eq!(inside.redis::<u64>(&["ZCARD", "sg:1:{ip:192.0.2.30}:settled"]), 9);
    Settled { requests: 9, corrections: 9 }
}

/// The client disconnects before the response, or in the middle of the body.
async fn the_client_goes(stack: &Stack, inside: &Inside) -> Settled {
    let request = get_from(stack, "192.0.2.40", "/late/left?x-tokens-used=7");
    let waiting = tokio::spawn(request.send());
    until("the request is at the origin", async || stack.origin.requests_to("/late/left") == 1).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    // The response may or may not still arrive. If it does, its cost counts; otherwise the charge stays.
    stack.origin.release("left");
    let corrections = settled_or_not(inside, "192.0.2.40").await;

    let mut answer = get_from(stack, "192.0.2.41", "/stream?n=1000000&every=1&tokens=7").send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    drop(answer);
    expect_left(inside, "192.0.2.41", 93, 9999).await;
    until("the origin streams no more", async || stack.origin.open_streams() == 0).await;
    Settled { requests: 2, corrections: corrections + 1 }
}

/// Returns 1 if the cost of this client's request is corrected from 10 to 7 within a second.
async fn settled_or_not(inside: &Inside, address: &str) -> u64 {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
    loop {
        match inside.left(address, "tokens").await {
            93 => return 1,
            90 if tokio::time::Instant::now() > deadline => return 0,
            90 => tokio::time::sleep(Duration::from_millis(20)).await,
            other => panic!("{other}"),
        }
    }
}

async fn the_client_does_not_read(stack: &Stack, inside: &Inside) -> Settled {
    let mut connection = TcpStream::connect(stack.worker.address()).await.unwrap();
    let request = "GET /stream?n=1000000&every=0&tokens=7 HTTP/1.1\r\nHost: x\r\nCF-Connecting-IP: 192.0.2.50\r\n\r\n";
    connection.write_all(request.as_bytes()).await.unwrap();
    expect_left(inside, "192.0.2.50", 93, 9999).await;
    drop(connection);
    until("the origin streams no more", async || stack.origin.open_streams() == 0).await;
    Settled { requests: 1, corrections: 1 }
}

/// The client has its response before a slow Redis settles.
async fn the_answer_does_not_wait(stack: &Stack, inside: &Inside) -> Settled {
    let request = get_from(stack, "192.0.2.60", "/late/slow?x-tokens-used=7").send();
    let waiting = tokio::spawn(async { request.await.unwrap().text().await.unwrap() });
    until("the request is at the origin", async || stack.origin.requests_to("/late/slow") == 1).await;
    stack.network.inject(Fault::HoldResponses).await;
    stack.origin.release("slow");
    let answer = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert_eq!(answer.expect("the answer is here although nothing is settled").unwrap(), "headers as asked\n");
    until("Redis was asked to settle", async || stack.network.held_back() > 0).await;
    stack.network.heal().await;
    expect_left(inside, "192.0.2.60", 93, 9999).await;
    Settled { requests: 1, corrections: 1 }
}

async fn the_origin_does_not_answer(stack: &mut Stack, inside: &Inside) -> Settled {
    let under_way = tokio::spawn(get_from(stack, "192.0.2.70", "/slow/600000").send());
    until("the request is at the origin", async || stack.origin.requests_to("/slow/600000") == 1).await;
    stack.origin.stop().await;
    assert_eq!(under_way.await.unwrap().unwrap().status(), 502, "it died on the way");
    assert_eq!(status(get_from(stack, "192.0.2.71", "/slow/1")).await, 502, "it is not there");
    assert_eq!(status(get_from(stack, "192.0.2.72", "/headers")).await, 502, "nobody refunds this");
    for (address, tokens, requests) in
        [("192.0.2.70", 100, 10_000), ("192.0.2.71", 100, 10_000), ("192.0.2.72", 90, 9999)]
    {
        expect_left(inside, address, tokens, requests).await;
    }
    stack.origin.restart().await.unwrap();
    Settled { requests: 3, corrections: 4 }
}
