//! Bodies that are sent in pieces, or large.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_devstack::{Origin, origin::pattern};
use tokio::time::timeout;

use crate::{client, common::eventually, get};

async fn check_pieces_wait_for_their_gate(target: &str, first: &'static str, second: &str) {
    let origin = Origin::start(0).await.unwrap();
    let mut response = get(&origin, target).await;
    assert_eq!((origin.open_streams(), origin.bytes_streamed()), (1, 0));
    origin.release("another");
    origin.release("gate");
    assert_eq!(response.chunk().await.unwrap().unwrap(), first);
    let early = timeout(Duration::from_millis(20), response.chunk()).await;
    assert!(early.is_err(), "arrived before its release: {early:?}");
    drop(response);
    eventually("the origin notices the disconnect", || origin.open_streams() == 0).await;

    // The dropped stream does not consume later releases.
    let before = origin.bytes_streamed();
    origin.release("gate");
    origin.release("gate");
    assert_eq!(get(&origin, target).await.text().await.unwrap(), format!("{first}{second}"));
    assert_eq!(origin.bytes_streamed() - before, (first.len() + second.len()) as u64);
}

#[tokio::test]
async fn a_piece_waits_for_its_gate() {
    check_pieces_wait_for_their_gate("/stream?n=2&gate=gate", "piece 1\n", "piece 2\n").await;
}

#[tokio::test]
async fn an_event_waits_for_its_gate() {
    check_pieces_wait_for_their_gate("/sse?n=2&gate=gate", "id: 1\ndata: event 1\n\n", "id: 2\ndata: event 2\n\n")
        .await;
}

#[tokio::test]
async fn pieces_follow_the_clock_without_a_gate() {
    let origin = Origin::start(0).await.unwrap();
    let response = get(&origin, "/sse?n=3&every=1").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.text().await.unwrap().matches("\n\n").count(), 3);
    assert_eq!(get(&origin, "/stream?n=0").await.text().await.unwrap(), "");
}

#[tokio::test]
async fn a_broken_body_has_its_tokens_header() {
    let origin = Origin::start(0).await.unwrap();
    assert_eq!(get(&origin, "/stream?n=1&tokens=7").await.headers()["x-tokens-used"], "7");
    let mut response = get(&origin, "/broken?n=2&every=1&gate=gate&tokens=8").await;
    assert_eq!(response.headers()["x-tokens-used"], "8");
    for piece in ["piece 1\n", "piece 2\n"] {
        origin.release("gate");
        assert_eq!(response.chunk().await.unwrap().unwrap(), piece);
    }
    origin.release("gate");
    assert!(response.chunk().await.is_err(), "the body is not complete");
    eventually("the stream is gone", || origin.open_streams() == 0).await;
}

#[tokio::test]
async fn upload_recognizes_the_pattern_of_bytes() {
    let origin = Origin::start(0).await.unwrap();
    let response = get(&origin, "/bytes/1000003").await;
    assert_eq!(response.headers()["content-length"], "1000003");
    let mut bytes = response.bytes().await.unwrap().to_vec();
    assert!(bytes == pattern(0, 1_000_003));

    let upload = async |body: Vec<u8>| {
        let response = client().post(origin.url() + "/upload").body(body).send().await.unwrap();
        serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap()
    };
    assert_eq!(upload(bytes.clone()).await, json!({ "bytes": 1_000_003, "pattern": true }));
    bytes.swap(500_000, 500_001);
    assert_eq!(upload(bytes).await, json!({ "bytes": 1_000_003, "pattern": false }));
    assert_eq!(upload(Vec::new()).await, json!({ "bytes": 0, "pattern": true }));
}

#[tokio::test]
async fn a_download_waits_for_its_reader() {
    let origin = Origin::start(0).await.unwrap();
    let total: u64 = 1 << 40;
    let mut response = get(&origin, &format!("/bytes/{total}")).await;
    response.chunk().await.unwrap().unwrap();
    let mut sent = origin.bytes_streamed();
    // Socket buffers fill first; then the origin stops.
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = origin.bytes_streamed();
        if now == sent {
            break;
        }
        sent = now;
    }
    assert!(sent < 64 << 20, "{sent} bytes without a reader");
}
