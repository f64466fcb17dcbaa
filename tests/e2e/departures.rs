//! An in-flight place is free as soon as its request ends, however it ends.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate_devstack::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use crate::bare::{Bare, Client, TOKEN, eventually};

/// A configuration of `places` in flight, with leases longer than any test, and 100 requests an hour. Failures of the
/// origin are refunded.
fn places(places: u64) -> Value {
    json!({
        "default_plan": "p",
        "timeout": "30s",
        "on_outage": "closed",
        "plans": { "p": { "limits": [
            { "name": "hour", "algorithm": "token_bucket", "limit": 100_000, "window": "1000h" },
            { "name": "places", "algorithm": "concurrency", "limit": places, "lease": "10m" },
        ] } },
        "routes": [{ "match": "* /*", "refund_on": ["5xx"] }],
    })
}

fn impatient(on_outage: &str) -> Value {
    let mut config = places(2);
    config["timeout"] = json!("200ms");
    config["on_outage"] = json!(on_outage);
    config
}

fn remaining(head: &str) -> u64 {
    let rest = head.split("\"hour\";r=").nth(1).unwrap_or_else(|| panic!("no budget: {head}"));
    rest.split(';').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_a_silent_stream_frees_its_place() {
    let bare = Bare::start(places(5)).await;
    let mut clients = join_all((0..5).map(|_| bare.get("/sse?gate=never"))).await;
    for client in &mut clients {
        let head = client.head().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
    assert_eq!((bare.leases(), bare.origin.open_streams()), (5, 5));
    assert!(bare.head("/any").await.starts_with("http/1.1 429"));
    clients.into_iter().for_each(Client::reset);
    bare.expect_leases(0).await;
    eventually("no open stream", || (bare.origin.open_streams() == 0, bare.origin.open_streams())).await;
    assert!(bare.head("/any").await.starts_with("http/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_before_the_response_frees_the_place_and_pays() {
    let bare = Bare::start(places(5)).await;
    let before = remaining(&bare.head("/any").await);
    bare.expect_leases(0).await;
    let clients = join_all((0..5).map(|_| bare.get("/slow/600000"))).await;
    eventually("5 requests", || (bare.origin.requests_to("/slow/600000") == 5, bare.origin.requests())).await;
    assert_eq!(bare.leases(), 5);
    clients.into_iter().for_each(Client::reset);
    bare.expect_leases(0).await;
    let after = remaining(&bare.head("/any").await);
    assert_eq!(before - after, 6, "nothing is given back: the origin has not failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_during_the_upload_pays() {
    let bare = Bare::start(places(5)).await;
    let before = remaining(&bare.head("/any").await);
    bare.expect_leases(0).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = bare.send("POST /upload").await;
        client.write("Content-Length: 100\r\n\r\nhalf of it").await;
        clients.push(client);
    }
    eventually("5 requests", || (bare.origin.requests_to("/upload") == 5, bare.origin.requests())).await;
    assert_eq!(bare.leases(), 5);
    clients.into_iter().for_each(Client::reset);
    bare.expect_leases(0).await;
    let after = remaining(&bare.head("/any").await);
    assert_eq!(before - after, 6, "nothing is given back: the origin has not failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_during_the_check_frees_the_place() {
    let bare = Bare::start(places(5)).await;
    // Loads the script.
    bare.head("/any").await;
    bare.expect_leases(0).await;
    bare.network.inject(Fault::HoldResponses).await;
    let client = bare.get("/sse?gate=never").await;
    bare.expect_leases(1).await;
    client.reset();
    // workerd has noticed the disconnect when it answers a later request.
    assert!(bare.head("/_sluicegate/nothing").await.starts_with("http/1.1 404"));
    bare.network.heal().await;
    bare.expect_leases(0).await;
    assert_eq!(bare.origin.open_streams(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_departures_leave_no_lease() {
    let bare = Bare::start(places(1000)).await;
    for batch in 0..10 {
        let clients = (0..100).map(|i| {
            let bare = &bare;
            async move {
                let path = ["/sse?gate=never", "/slow/600000", "/stream?n=1000&every=50", "/any"][i % 4];
                let mut client = bare.get(path).await;
                // Some disconnect at once, some during the request, some after the response head.
                match (batch + i / 4) % 3 {
                    0 => {}
                    1 => tokio::time::sleep(Duration::from_millis(i as u64)).await,
                    _ if path == "/slow/600000" => {}
                    _ => drop(client.head().await),
                }
                client.reset();
            }
        });
        join_all(clients).await;
    }
    bare.expect_leases(0).await;
    assert!(bare.executed("zadd") > 500, "they were judged");
    eventually("no open stream", || (bare.origin.open_streams() == 0, bare.origin.open_streams())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_reply_of_redis_keeps_no_lease() {
    let bare = Bare::start(impatient("open")).await;
    assert!(bare.head("/any").await.contains("ratelimit:"));
    bare.expect_leases(0).await;
    let taken = bare.executed("zadd");
    bare.network.inject(Fault::Delay(Duration::from_secs(1))).await;
    for _ in 0..2 {
        assert!(bare.head("/any").await.contains("desc=\"unjudged\""));
    }
    bare.network.heal().await;
    eventually("2 leases taken", || (bare.executed("zadd") == taken + 2, bare.executed("zadd"))).await;
    bare.expect_leases(0).await;
    assert!(bare.head("/any").await.contains("ratelimit:"));
}

/// Relays connections to `server`; the first one only after two seconds, even if its client has left.
async fn detain_the_first(listener: TcpListener, server: SocketAddr) {
    let mut wait = Duration::from_secs(2);
    while let Ok((mut client, _)) = listener.accept().await {
        let detained = std::mem::take(&mut wait);
        tokio::spawn(async move {
            let mut server = TcpStream::connect(server).await.unwrap();
            if detained.is_zero() {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                return;
            }
            let mut question = Vec::new();
            let _ = client.read_to_end(&mut question).await;
            tokio::time::sleep(detained).await;
            server.write_all(&question).await.unwrap();
            let _ = copy(&mut server, &mut tokio::io::sink()).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_check_keeps_no_lease() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rest = format!("http://{}", listener.local_addr().unwrap());
    let bare = Bare::start_behind(impatient("open"), |bridge| {
        tokio::spawn(detain_the_first(listener, bridge));
        rest
    })
    .await;
    let mut connection = redis::Client::open(bare.redis.url()).unwrap().get_connection().unwrap();
    redis::cmd("SCRIPT").arg("LOAD").arg(sluicegate::redis::script::CHECK.source).exec(&mut connection).unwrap();
    assert!(bare.head("/any").await.contains("desc=\"unjudged\""));
    eventually("a lease taken", || (bare.executed("zadd") == 1, bare.executed("zadd"))).await;
    bare.expect_leases(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_taken_in_memory_are_freed_too() {
    let mut bare = Bare::start(impatient("local")).await;
    bare.redis.stop().await;
    for _ in 0..5 {
        let head = bare.head("/any").await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("\"places\";r=1"), "{head}");
    }
    let mut clients = join_all((0..2).map(|_| bare.get("/sse?gate=never"))).await;
    for client in &mut clients {
        assert!(client.head().await.starts_with("http/1.1 200"));
    }
    assert!(bare.head("/any").await.starts_with("http/1.1 429"));
    clients.into_iter().for_each(Client::reset);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !bare.head("/any").await.starts_with("http/1.1 200") {
        assert!(tokio::time::Instant::now() < deadline, "the places are still taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_reads_no_body_without_the_token() {
    let bare = Bare::start(places(5)).await;
    let unfinished = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let mut stranger = bare.send("POST /_sluicegate/v1/check").await;
    stranger.write(unfinished).await;
    assert!(stranger.head().await.starts_with("http/1.1 401"));
    let mut reader = bare.send("GET /_sluicegate/v1/openapi.json").await;
    reader.write("\r\n").await;
    assert!(reader.head().await.starts_with("http/1.1 200"));
    let mut friend = bare.send("POST /_sluicegate/v1/check").await;
    friend.write(&format!("Authorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n")).await;
    let head = friend.head().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
}
