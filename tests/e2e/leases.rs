//! Concurrency limits: a place is taken while a request is in flight.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use sluicegate_devstack::{Fault, Stack};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::direct_redis::Inside;
use crate::support::{ADDRESS, client, get_from, header, limits, problem, stack, status, until};

fn configuration() -> Value {
    let mut config = limits(&json!([{ "name": "two", "algorithm": "concurrency", "limit": 2, "lease": "10m" }]));
    config["plans"]["crowd"] =
        json!({ "limits": [{ "name": "crowd", "algorithm": "concurrency", "limit": 1000, "lease": "10m" }] });
    config["plans"]["brief"] =
        json!({ "limits": [{ "name": "brief", "algorithm": "concurrency", "limit": 1, "lease": "1s" }] });
    config["plans"]["plain"] =
        json!({ "limits": [{ "name": "plain", "algorithm": "token_bucket", "limit": 10_000, "window": "1s" }] });
    config["routes"] = json!([
        { "match": "* /ws", "plan": "brief" },
        { "match": "POST /stream", "plan": "crowd" },
        { "match": "POST /slow/*", "plan": "crowd" },
        { "match": "PUT /*", "plan": "plain" },
    ]);
    config
}

/// All tests share one stack; each client has its own address.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_taken_while_a_request_is_in_flight() {
    let mut stack = stack(configuration()).await;
    let inside = Inside::of(&stack, &configuration()).await;
    until_the_body_has_ended(&stack, &inside).await;
    until_the_client_has_gone(&stack, &inside).await;
    a_body_nobody_reads(&stack, &inside).await;
    nothing_is_held_back(&stack, &inside).await;
    answers_without_a_body(&stack, &inside).await;
    lengths_and_encodings(&stack).await;
    web_socket(&stack).await;
    a_thousand_clients_go(&stack, &inside).await;
    the_origin_fails(&mut stack, &inside).await;
    stack.stop().await;
}

async fn free(inside: &Inside, address: &str) {
    until(&format!("{address} has both places"), async || inside.left(address, "two").await == 2).await;
}

async fn until_the_body_has_ended(stack: &Stack, inside: &Inside) {
    let address = "192.0.2.1";
    let mut first = get_from(stack, address, "/stream?n=2&gate=first").send().await.unwrap();
    assert_eq!(header(&first, "ratelimit-policy"), "\"two\";q=2;qu=\"concurrent-requests\"");
    let mut second = get_from(stack, address, "/stream?n=1&gate=second").send().await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(second.status(), 200);
    assert!(header(&second, "ratelimit").starts_with("\"two\";r=0"), "{}", header(&second, "ratelimit"));
    assert_eq!(problem(get_from(stack, address, "/x"), 429).await, "quota-exceeded");
    // The origin sends each piece only after the previous one has arrived.
    for i in 1..=2 {
        stack.origin.release("first");
        assert_eq!(first.chunk().await.unwrap().unwrap(), format!("piece {i}\n"));
        if i == 1 {
            assert_eq!(status(get_from(stack, address, "/x")).await, 429, "it is still under way");
        }
    }
    assert_eq!(first.chunk().await.unwrap(), None);
    until("one place is free", async || inside.left(address, "two").await == 1).await;
    assert_eq!(status(get_from(stack, address, "/x")).await, 200);
    stack.origin.release("second");
    second.chunk().await.unwrap().unwrap();
    assert_eq!(second.chunk().await.unwrap(), None);
    free(inside, address).await;
}

async fn until_the_client_has_gone(stack: &Stack, inside: &Inside) {
    let address = "192.0.2.2";
    let mut answer = get_from(stack, address, "/stream?n=1000000&every=1").send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    let waiting = tokio::spawn(get_from(stack, address, "/late/left").send());
    until("the request is at the origin", async || stack.origin.requests_to("/late/left") == 1).await;
    assert_eq!(inside.left(address, "two").await, 0);
    drop(answer);
    until("one place is free", async || inside.left(address, "two").await == 1).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    // wrangler's proxy does not forward the disconnect, but the end of the body is seen all the same.
    stack.origin.release("left");
    free(inside, address).await;
}

/// The whole body fits in buffers: the origin has sent it, and the client has not read it.
async fn a_body_nobody_reads(stack: &Stack, inside: &Inside) {
    let address = "192.0.2.3";
    let answer = get_from(stack, address, "/bytes/1000").send().await.unwrap();
    free(inside, address).await;
    drop(answer);
    let answer = get_from(stack, address, "/bytes/100000000").send().await.unwrap();
    assert_eq!(inside.left(address, "two").await, 1);
    drop(answer);
    free(inside, address).await;
}

/// The client has the whole body before a slow Redis releases the lease.
async fn nothing_is_held_back(stack: &Stack, inside: &Inside) {
    let address = "192.0.2.4";
    let mut answer = get_from(stack, address, "/stream?n=2&gate=slow").send().await.unwrap();
    stack.network.inject(Fault::HoldResponses).await;
    let body = async {
        for _ in 0..2 {
            stack.origin.release("slow");
            answer.chunk().await.unwrap().unwrap();
        }
        assert_eq!(answer.chunk().await.unwrap(), None);
    };
    tokio::time::timeout(Duration::from_secs(10), body).await.expect("the body ends although Redis does not answer");
    until("Redis was asked to take the lease back", async || stack.network.held_back() > 0).await;
    stack.network.heal().await;
    free(inside, address).await;
}

async fn answers_without_a_body(stack: &Stack, inside: &Inside) {
    let address = "192.0.2.5";
    for path in ["/status/204", "/status/304", "/status/503", "/redirect/302?to=/x", "/bytes/0"] {
        status(get_from(stack, address, path)).await;
        free(inside, address).await;
    }
    let head = client().head(format!("{}/bytes/1000", stack.worker.url())).header(ADDRESS, address);
    assert_eq!(status(head).await, 200);
    free(inside, address).await;
    assert_eq!(status(get_from(stack, address, "/upload")).await, 200);
    free(inside, address).await;
}

/// A response whose end is watched is otherwise unchanged.
async fn lengths_and_encodings(stack: &Stack) {
    for path in ["/bytes/12345", "/bytes/0", "/gzip", "/cookies", "/x", "/stream?n=1&every=1", "/status/404"] {
        let mut seen = Vec::new();
        for method in [Method::PATCH, Method::PUT] {
            let request = client().request(method, format!("{}{path}", stack.worker.url()));
            let request = request.header(ADDRESS, "192.0.2.6").header("accept-encoding", "gzip");
            let answer = request.send().await.unwrap();
            let names = ["content-length", "transfer-encoding", "content-encoding", "content-type", "set-cookie"];
            let headers = names.map(|name| header(&answer, name));
            let policy = header(&answer, "ratelimit-policy");
            seen.push((policy.starts_with("\"two\""), headers, answer.bytes().await.unwrap()));
        }
        let [(true, watched, leased), (false, plain, free)] = &seen[..] else { panic!("{path}: {seen:?}") };
        assert_eq!(watched, plain, "{path}");
        // The echo contains the method and the number of the request.
        assert!(path == "/x" || leased == free, "{path}");
    }
}

/// The Worker does not see a WebSocket end, so its lease expires.
async fn web_socket(stack: &Stack) {
    let address = format!("ws://{}/ws", stack.worker.address());
    let request = || {
        let mut request = address.as_str().into_client_request().unwrap();
        request.headers_mut().insert(ADDRESS, "192.0.2.7".parse().unwrap());
        request
    };
    let (mut first, answer) = connect_async(request()).await.unwrap();
    assert_eq!(answer.status(), 101);
    let taken = connect_async(request()).await.unwrap_err();
    assert!(taken.to_string().contains("429"), "{taken}");
    let mut second = None;
    until("the lease has ended", async || {
        second = connect_async(request()).await.ok();
        second.is_some()
    })
    .await;
    first.send(Message::text("still here")).await.unwrap();
    assert_eq!(first.next().await.unwrap().unwrap(), Message::text("still here"));
}

/// Clients disconnect before the response, or in the middle of the body.
async fn a_thousand_clients_go(stack: &Stack, inside: &Inside) {
    let address = "192.0.2.8";
    let client = client();
    let gone = (0..1000).map(|i| {
        let path = if i % 2 == 0 { "/slow/200" } else { "/stream?n=1000000&every=5" };
        let request = client.post(format!("{}{path}", stack.worker.url())).header(ADDRESS, address);
        async move {
            if i % 2 == 0 {
                let impatient = Duration::from_millis(30 + i % 50);
                assert!(tokio::time::timeout(impatient, request.send()).await.is_err(), "it answers too late");
            } else {
                let mut answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 200);
                answer.chunk().await.unwrap().unwrap();
            }
        }
    });
    stream::iter(gone).buffer_unordered(25).for_each(|()| async {}).await;
    until("all places are free", async || inside.left(address, "crowd").await == 1000).await;
    until("the origin streams to nobody", async || stack.origin.open_streams() == 0).await;
    assert_eq!(inside.redis::<u64>(&["ZCARD", &format!("sg:1:{{ip:{address}}}:inflight:crowd")]), 0);
}

async fn the_origin_fails(stack: &mut Stack, inside: &Inside) {
    let address = "192.0.2.9";
    let mut answer = get_from(stack, address, "/broken?n=1&gate=break").send().await.unwrap();
    assert_eq!(inside.left(address, "two").await, 1);
    // One piece, then the connection breaks.
    stack.origin.release("break");
    stack.origin.release("break");
    let broken = async {
        while answer.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(())
    };
    assert!(broken.await.is_err(), "a body that broke off does not look whole");
    free(inside, address).await;

    let under_way = tokio::spawn(get_from(stack, address, "/slow/600000").send());
    until("the request is at the origin", async || stack.origin.requests_to("/slow/600000") == 1).await;
    assert_eq!(inside.left(address, "two").await, 1);
    stack.origin.stop().await;
    assert_eq!(under_way.await.unwrap().unwrap().status(), 502);
    assert_eq!(status(get_from(stack, address, "/x")).await, 502);
    free(inside, address).await;
    stack.origin.restart().await.unwrap();
}
