//! All parts together, with a Worker that only forwards.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::time::Duration;

use common::{eventually, in_group, root, tiny};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sluicegate_devstack::{Fault, Options, Stack};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::{connect_async, tungstenite::Message};

fn options() -> Options {
    Options { config: tiny(), root: root(), ..Options::default() }
}

async fn json_of(url: String) -> Value {
    serde_json::from_slice(&reqwest::get(url).await.unwrap().bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_parts_are_connected_and_end_together() {
    let options = Options {
        sluicegate: Some(json!({ "from": "the test" })),
        vars: vec![("EXTRA".to_owned(), "1".to_owned())],
        redis_arguments: vec!["--maxmemory".to_owned(), "7mb".to_owned()],
        ..options()
    };
    let stack = Stack::start(options).await.unwrap();
    let expected = json!({
        "ORIGIN": stack.origin.url(),
        "SLUICEGATE": { "from": "the test" },
        "UPSTASH_REDIS_REST_URL": stack.network.url(),
        "UPSTASH_REDIS_REST_TOKEN": stack.secrets.rest_token,
        "SLUICEGATE_ADMIN_TOKEN": stack.secrets.admin_token,
        "EXTRA": "1",
    });
    assert_eq!(json_of(stack.worker.url() + "/_sluicegate/health").await, expected);

    let echo = json_of(stack.worker.url() + "/hello?a=1").await;
    assert_eq!(echo["target"], "/hello?a=1");
    assert_eq!((stack.origin.requests(), stack.origin.requests_to("/hello")), (1, 1));
    let memory = json_of(stack.worker.url() + "/redis/config/get/maxmemory").await;
    assert_eq!(memory, json!({ "result": ["maxmemory", (7 << 20).to_string()] }));

    let group = stack.worker.process_group().unwrap();
    stack.stop().await;
    assert!(in_group(group).is_empty());
}

#[tokio::test]
async fn each_part_can_be_stopped_and_restarted() {
    let mut stack = Stack::start(options()).await.unwrap();
    let ping = stack.worker.url() + "/redis/ping";
    let reply = json!({ "result": "PONG" });
    assert_eq!(json_of(ping.clone()).await, reply);

    stack.redis.stop().await;
    assert!(json_of(ping.clone()).await["error"].is_string());
    stack.redis.restart().await.unwrap();
    assert_eq!(json_of(ping.clone()).await, reply);

    stack.bridge.stop().await;
    assert_eq!(reqwest::get(&ping).await.unwrap().status(), 500);
    stack.bridge.restart().await.unwrap();
    assert_eq!(json_of(ping).await, reply);

    stack.origin.stop().await;
    assert_eq!(reqwest::get(stack.worker.url()).await.unwrap().status(), 500);
    stack.origin.restart().await.unwrap();
    assert_eq!(reqwest::get(stack.worker.url()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_network_to_the_bridge_can_be_slowed_and_cut() {
    let stack = Stack::start(options()).await.unwrap();
    let ping = stack.worker.url() + "/redis/ping";
    let reply = json!({ "result": "PONG" });

    let delay = Duration::from_millis(200);
    stack.network.inject(Fault::Delay(delay)).await;
    let begin = Instant::now();
    assert_eq!(json_of(ping.clone()).await, reply);
    assert!(begin.elapsed() >= delay);
    stack.network.heal().await;

    stack.network.inject(Fault::HoldResponses).await;
    let mut held = tokio::spawn(json_of(ping.clone()));
    assert!(timeout(delay, &mut held).await.is_err());
    stack.network.heal().await;
    assert_eq!(held.await.unwrap(), reply);

    stack.network.inject(Fault::HoldResponses).await;
    // A POST, because workerd retries a GET when a persistent connection breaks.
    let cut = tokio::spawn(reqwest::Client::new().post(ping.clone()).send());
    eventually("the request has reached the bridge", || stack.network.held_back() == 1).await;
    stack.network.cut();
    assert_eq!(cut.await.unwrap().unwrap().status(), 500);
    stack.network.heal().await;
    assert_eq!(json_of(ping).await, reply);
}

#[tokio::test]
async fn events_and_websockets_pass_through_workerd() {
    let stack = Stack::start(options()).await.unwrap();
    let mut events = reqwest::get(stack.worker.url() + "/sse?n=2&gate=sse").await.unwrap();
    for expected in ["id: 1\ndata: event 1\n\n", "id: 2\ndata: event 2\n\n"] {
        stack.origin.release("sse");
        assert_eq!(events.chunk().await.unwrap().unwrap(), expected);
    }
    let (mut socket, _) = connect_async(format!("ws://{}/ws", stack.worker.address())).await.unwrap();
    socket.send(Message::text("there and back")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("there and back"));
}
