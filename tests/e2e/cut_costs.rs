//! Bodies whose cost is read on the way: those that are cut, and those that are larger than the memory for them.

use std::time::Duration;

use crate::bare::{Bare, Client, eventually};
use crate::real_costs::{JSON, STREAM, UNITS, expect_used, fixture, post, start};
use crate::support::until;

/// Sends a request on a connection of its own.
async fn open(bare: &Bare, address: &str, path: &str) -> Client {
    let mut client = bare.send_from(address, &format!("POST {path}")).await;
    let sent = r#"{"stream":true,"max_tokens":50}"#;
    client.write(&format!("Content-Length: {}\r\n\r\n{sent}", sent.len())).await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_costs_what_was_reserved_at_least() {
    let (bare, inside) = start().await;
    let stream = fixture("openai-stream-with-usage.sse");
    bare.origin.serve("gated", STREAM, stream.clone());
    // The client leaves after so many pieces.
    for (i, (pieces, cost)) in [(0, 50), (1, 50), (5, 250), (6, 300)].into_iter().enumerate() {
        let (address, gate) = (format!("192.0.2.{}", 10 + i), format!("leave{i}"));
        let mut client = open(&bare, &address, &format!("/served/gated?gate={gate}&piece=200&chunked=true")).await;
        let head = client.head().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        for _ in 0..pieces {
            bare.origin.release(&gate);
        }
        let sent = 200 * pieces;
        client.chunks(sent).await;
        client.reset();
        expect_used(&bare, &inside, &address, "tokens", cost).await;
        eventually("no open stream", || (bare.origin.open_streams() == 0, bare.origin.open_streams())).await;
    }
    // It leaves before the response, and the request to the origin ends.
    let client = open(&bare, "192.0.2.19", "/late/never").await;
    until("the request is at the origin", async || bare.origin.requests_to("/late/never") == 1).await;
    bare.expect_leases(1).await;
    client.reset();
    expect_used(&bare, &inside, "192.0.2.19", "tokens", 50).await;
    // It leaves after everything, but before the end of the connection: the cost is known.
    let mut client = open(&bare, "192.0.2.20", "/served/gated?gate=all&piece=100000&chunked=true").await;
    client.head().await;
    bare.origin.release("all");
    client.chunks(stream.len()).await;
    client.reset();
    expect_used(&bare, &inside, "192.0.2.20", "tokens", 31).await;
    // The origin breaks off.
    let half = stream.len() / 2;
    bare.origin.serve("half", STREAM, stream[..half].to_vec());
    for (address, how) in [("192.0.2.21", "&chunked=true"), ("192.0.2.22", "")] {
        let path = format!("/served/half?broken=true&piece=100000&gate={address}{how}");
        let mut client = open(&bare, address, &path).await;
        let head = client.head().await;
        bare.origin.release(address);
        if head.contains("content-length") {
            client.exactly(half).await;
        } else {
            client.chunks(half).await;
        }
        bare.origin.release(address);
        assert_eq!(client.rest().await, b"", "no chunk says that this is the end");
        expect_used(&bare, &inside, address, "tokens", (half as u64).div_ceil(4)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_dies_leaves_what_was_reserved() {
    let (bare, inside) = start().await;
    bare.origin.serve("gated", STREAM, fixture("openai-stream-with-usage.sse"));
    let mut clients = Vec::new();
    for i in 0..DEATHS {
        let path = format!("/served/gated?gate=death{i}&piece=400&chunked=true");
        let mut client = open(&bare, "192.0.2.10", &path).await;
        client.head().await;
        bare.origin.release(&format!("death{i}"));
        client.chunks(400).await;
        clients.push(client);
    }
    bare.kill();
    for mut client in clients {
        assert_eq!(client.rest().await, b"");
    }
    let charged = UNITS - inside.left("192.0.2.10", "tokens").await;
    println!("{DEATHS} requests under way reserved {} units; {charged} stay charged", DEATHS * 50);
    assert_eq!(charged, DEATHS * 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_read_in_little_memory() {
    let (bare, inside) = start().await;
    let text = r#"{"choices":[{"message":{"content":"LLL"}}],"usage":{"prompt_tokens":7,"completion_tokens":4}}"#;
    let large = text.replace("LLL", &"sluice gate \\n ".repeat(LARGE / 15)).into_bytes();
    let warm = text.replace("LLL", &"sluice gate \\n ".repeat(LARGE / 150)).into_bytes();
    for (i, (body, cost)) in [(warm, 11), (large, 22)].into_iter().enumerate() {
        bare.origin.serve("large", JSON, body.clone());
        let before = bare.resident_memory();
        let mut answer = post(&bare, "192.0.2.10", "/served/large", r#"{"max_tokens":7}"#).send().await.unwrap();
        let (mut length, mut most) = (0, before);
        while let Some(piece) = answer.chunk().await.unwrap() {
            assert_eq!(&body[length..length + piece.len()], piece);
            if length >> 22 != (length + piece.len()) >> 22 {
                most = most.max(bare.resident_memory());
            }
            length += piece.len();
        }
        assert_eq!(length, body.len());
        println!("{length} bytes: {} KiB more in memory", (most - before) >> 10);
        assert!(i == 0 || most - before < MOST_MEMORY, "{length} bytes took {}", most - before);
        expect_used(&bare, &inside, "192.0.2.10", "tokens", cost).await;
    }
    // A client that does not read holds the origin back.
    let client = open(&bare, "192.0.2.11", "/served/large").await;
    let mut held = (0, 0);
    until("the origin waits", async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        held = (held.1, bare.origin.bytes_streamed());
        held.0 == held.1
    })
    .await;
    assert_eq!(bare.origin.open_streams(), 1);
    client.reset();
    eventually("no open stream", || (bare.origin.open_streams() == 0, bare.origin.open_streams())).await;
}

/// The requests under way when the gateway dies.
const DEATHS: u64 = 20;

/// The length of the large body, in bytes.
const LARGE: usize = 100_000_000;

/// What workerd may take for it, in bytes: far less than the body, more than a collection of garbage waits for.
const MOST_MEMORY: u64 = 60 << 20;
