//! Every path of the demo origin, over real HTTP.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::time::Duration;

use common::eventually;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::{Value, json};
use sluicegate_devstack::{Origin, origin::pattern};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

fn client() -> Client {
    Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

async fn get(origin: &Origin, target: &str) -> Response {
    client().get(origin.url() + target).send().await.unwrap()
}

/// Sends bytes as they are, since a client would tidy them up, and reads until the origin closes.
async fn raw(origin: &Origin, request: &str) -> String {
    let mut stream = TcpStream::connect(origin.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_echo_is_the_request_as_it_came() {
    let origin = Origin::start(0).await.unwrap();
    let request = "PUT /a%2Fb//../c;x?q=%20+&q=2&empty HTTP/1.1\r\nHost: example.test\r\nX-Two: first\r\nX-Two: second\r\nContent-Length: 6\r\nConnection: close\r\n\r\nh\u{e9}llo";
    let answer = raw(&origin, request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nx-origin-request: 1\r\n"), "{head}");
    let expected = json!({
        "method": "PUT",
        "target": "/a%2Fb//../c;x?q=%20+&q=2&empty",
        "version": "HTTP/1.1",
        "headers": [
            ["host", "example.test"],
            ["x-two", "first"],
            ["x-two", "second"],
            ["content-length", "6"],
            ["connection", "close"],
        ],
        "body": { "length": 6, "sha1": "35b5ea45c5e41f78b46a937cc74d41dfea920890", "text": "h\u{e9}llo" },
    });
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
}

#[tokio::test]
async fn a_body_that_is_large_or_binary_is_only_measured() {
    let origin = Origin::start(0).await.unwrap();
    for body in [vec![b'a'; 64 * 1024 + 1], vec![0xff, 0xfe]] {
        let sha1 = sha1_smol::Sha1::from(&body).digest().to_string();
        let length = body.len();
        let answer = client().post(origin.url() + "/echo").body(body).send().await.unwrap();
        let echo: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(echo["body"], json!({ "length": length, "sha1": sha1, "text": null }));
    }
}

#[tokio::test]
async fn a_status_is_any_final_one() {
    let origin = Origin::start(0).await.unwrap();
    for code in [200, 204, 304, 404, 429, 500, 503, 599, 799] {
        assert_eq!(get(&origin, &format!("/status/{code}")).await.status(), code);
    }
    for target in ["/status/100", "/status/99", "/status/1000", "/status/x", "/redirect/101?to=/"] {
        assert_eq!(get(&origin, target).await.status(), 400, "{target}");
    }
}

#[tokio::test]
async fn slow_is_not_early() {
    let origin = Origin::start(0).await.unwrap();
    let begin = tokio::time::Instant::now();
    let answer = get(&origin, "/slow/50").await;
    assert!(begin.elapsed() >= Duration::from_millis(50));
    assert!(answer.text().await.unwrap().contains("/slow/50"));
}

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

#[tokio::test]
async fn cookies_stay_apart() {
    let origin = Origin::start(0).await.unwrap();
    let answer = get(&origin, "/cookies").await;
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    let expected = [
        "first=1; Path=/",
        "second=2; Path=/; HttpOnly; SameSite=Lax",
        "third=3; Expires=Wed, 21 Oct 2065 07:28:00 GMT",
    ];
    assert_eq!(cookies, expected);
}

#[tokio::test]
async fn a_redirect_is_spelled_as_asked() {
    let origin = Origin::start(0).await.unwrap();
    let answer = get(&origin, "/redirect/307?to=https%3A%2F%2Felsewhere.test%2F%3Fa%3D1").await;
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.headers()["location"], "https://elsewhere.test/?a=1");
    assert_eq!(get(&origin, "/redirect/302?to=a%0Ab").await.status(), 400);
}

#[tokio::test]
async fn headers_are_set_as_asked() {
    let origin = Origin::start(0).await.unwrap();
    let answer = get(&origin, "/headers?RateLimit=%22own%22%3Br%3D1%3Bt%3D2&X-Two=1&X-Two=2").await;
    assert_eq!(answer.headers()["ratelimit"], "\"own\";r=1;t=2");
    let twice: Vec<_> = answer.headers().get_all("x-two").iter().collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(get(&origin, "/headers?a%20b=1").await.status(), 400);
}

#[tokio::test]
async fn gzip_is_compressed_on_the_wire() {
    let origin = Origin::start(0).await.unwrap();
    let answer = get(&origin, "/gzip").await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert_eq!(text.lines().count(), 100);
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let origin = Origin::start(0).await.unwrap();
    let targets = [
        "/",
        "/status/404",
        "/stream?n=1",
        "/sse?n=1",
        "/bytes/1000",
        "/cookies",
        "/gzip",
        "/headers?X-A=1",
        "/upload",
    ];
    for target in targets {
        let request = format!("HEAD {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(&origin, &request).await;
        assert!(answer.ends_with("\r\n\r\n"), "{target}: {answer}");
        let status = client().request(Method::GET, origin.url() + target).send().await.unwrap().status();
        assert!(answer.starts_with(&format!("HTTP/1.1 {} ", status.as_u16())), "{target}: {answer}");
    }
    let answer = client().head(origin.url() + "/bytes/1000").send().await.unwrap();
    assert_eq!(answer.headers()["content-length"], "1000");
}

#[tokio::test]
async fn a_socket_sends_back_what_it_gets() {
    let origin = Origin::start(0).await.unwrap();
    let mut request = format!("ws://{}/ws", origin.address()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "chat.v2, chat.v1".parse().unwrap());
    let (mut socket, answer) = connect_async(request).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat.v2");

    for message in [Message::text("h\u{e9}llo"), Message::binary(vec![0, 255, 7])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::text("close 4001 enough of it")).await.unwrap();
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "enough of it"));
    assert!(socket.next().await.is_none());
}

#[tokio::test]
async fn requests_are_counted_and_numbered() {
    let origin = Origin::start(0).await.unwrap();
    for number in 1..=3_u64 {
        let answer = get(&origin, &format!("/counted?{number}")).await;
        assert_eq!(answer.headers()["x-origin-request"], number.to_string());
    }
    get(&origin, "/other").await;
    assert_eq!((origin.requests(), origin.requests_to("/counted"), origin.requests_to("/never")), (4, 3, 0));
}

#[tokio::test]
async fn a_stopped_origin_breaks_connections_and_comes_back_at_its_port() {
    let mut origin = Origin::start(0).await.unwrap();
    let mut endless = get(&origin, "/stream?n=2&gate=never").await;
    let (mut socket, _) = connect_async(format!("ws://{}/ws", origin.address())).await.unwrap();

    origin.stop().await;
    assert!(endless.chunk().await.is_err());
    assert!(!matches!(socket.next().await, Some(Ok(_))));
    assert!(client().get(origin.url()).send().await.unwrap_err().is_connect());

    origin.restart().await.unwrap();
    assert_eq!(get(&origin, "/").await.status(), 200);
    assert_eq!(origin.requests(), 3);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Origin::start(0).await.unwrap();
    let error = Origin::start(first.address().port()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("demo origin cannot listen at {}", first.address()));
}
