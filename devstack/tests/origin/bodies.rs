//! Bodies that come in pieces, or are large.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_devstack::{Origin, origin::pattern};
use tokio::time::timeout;

use crate::{client, common::eventually, get};

async fn pieces_follow_their_gate(target: &str, first: &'static str, second: &str) {
    let origin = Origin::start(0).await.unwrap();
    let mut answer = get(&origin, target).await;
    assert_eq!((origin.open_streams(), origin.bytes_streamed()), (1, 0));
    origin.release("another");
    origin.release("gate");
    assert_eq!(answer.chunk().await.unwrap().unwrap(), first);
    let early = timeout(Duration::from_millis(20), answer.chunk()).await;
    assert!(early.is_err(), "came before its release: {early:?}");
    drop(answer);
    eventually("the origin notices that the client is gone", || origin.open_streams() == 0).await;

    // The stream that was given up still waits for nobody: releases made now are for the next one.
    let before = origin.bytes_streamed();
    origin.release("gate");
    origin.release("gate");
    assert_eq!(get(&origin, target).await.text().await.unwrap(), format!("{first}{second}"));
    assert_eq!(origin.bytes_streamed() - before, (first.len() + second.len()) as u64);
}

#[tokio::test]
async fn a_piece_comes_when_its_gate_is_released_and_not_before() {
    pieces_follow_their_gate("/stream?n=2&gate=gate", "piece 1\n", "piece 2\n").await;
}

#[tokio::test]
async fn an_event_comes_when_its_gate_is_released_and_not_before() {
    pieces_follow_their_gate("/sse?n=2&gate=gate", "id: 1\ndata: event 1\n\n", "id: 2\ndata: event 2\n\n").await;
}

#[tokio::test]
async fn pieces_come_by_the_clock_without_a_gate() {
    let origin = Origin::start(0).await.unwrap();
    let answer = get(&origin, "/sse?n=3&every=1").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.text().await.unwrap().matches("\n\n").count(), 3);
    assert_eq!(get(&origin, "/stream?n=0").await.text().await.unwrap(), "");
}

#[tokio::test]
async fn a_body_breaks_off_as_asked_and_tells_its_tokens() {
    let origin = Origin::start(0).await.unwrap();
    assert_eq!(get(&origin, "/stream?n=1&tokens=7").await.headers()["x-tokens-used"], "7");
    let mut answer = get(&origin, "/broken?n=2&every=1&gate=gate&tokens=8").await;
    assert_eq!(answer.headers()["x-tokens-used"], "8");
    for piece in ["piece 1\n", "piece 2\n"] {
        origin.release("gate");
        assert_eq!(answer.chunk().await.unwrap().unwrap(), piece);
    }
    origin.release("gate");
    assert!(answer.chunk().await.is_err(), "it does not look whole");
    eventually("the stream is gone", || origin.open_streams() == 0).await;
}

#[tokio::test]
async fn bytes_are_the_pattern_and_upload_knows_it() {
    let origin = Origin::start(0).await.unwrap();
    let answer = get(&origin, "/bytes/1000003").await;
    assert_eq!(answer.headers()["content-length"], "1000003");
    let mut bytes = answer.bytes().await.unwrap().to_vec();
    assert!(bytes == pattern(0, 1_000_003));

    let upload = async |body: Vec<u8>| {
        let answer = client().post(origin.url() + "/upload").body(body).send().await.unwrap();
        serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap()
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
    let mut answer = get(&origin, &format!("/bytes/{total}")).await;
    answer.chunk().await.unwrap().unwrap();
    let mut sent = origin.bytes_streamed();
    // Socket buffers fill first; after that nothing more is made.
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
