//! Responses that are sent whole.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sluicegate_devstack::Origin;

use crate::{client, get, raw};

#[tokio::test]
async fn the_echo_is_the_request_byte_for_byte() {
    let origin = Origin::start(0).await.unwrap();
    let request = "PUT /a%2Fb//../c;x?q=%20+&q=2&empty HTTP/1.1\r\nHost: example.test\r\nX-Two: first\r\nX-Two: second\r\nContent-Length: 6\r\nConnection: close\r\n\r\nh\u{e9}llo";
    let response = raw(&origin, request).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
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
async fn a_large_or_binary_body_has_no_text() {
    let origin = Origin::start(0).await.unwrap();
    for body in [vec![b'a'; 64 * 1024 + 1], vec![0xff, 0xfe]] {
        let sha1 = sha1_smol::Sha1::from(&body).digest().to_string();
        let length = body.len();
        let response = client().post(origin.url() + "/echo").body(body).send().await.unwrap();
        let echo: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(echo["body"], json!({ "length": length, "sha1": sha1, "text": null }));
    }
}

#[tokio::test]
async fn any_final_status_can_be_requested() {
    let origin = Origin::start(0).await.unwrap();
    for code in [200, 204, 304, 404, 429, 500, 503, 599, 799] {
        assert_eq!(get(&origin, &format!("/status/{code}")).await.status(), code);
    }
    for target in ["/status/100", "/status/99", "/status/1000", "/status/x", "/redirect/101?to=/"] {
        assert_eq!(get(&origin, target).await.status(), 400, "{target}");
    }
}

#[tokio::test]
async fn slow_responses_are_not_early() {
    let origin = Origin::start(0).await.unwrap();
    let begin = tokio::time::Instant::now();
    let response = get(&origin, "/slow/50").await;
    assert!(begin.elapsed() >= Duration::from_millis(50));
    assert!(response.text().await.unwrap().contains("/slow/50"));
}

#[tokio::test]
async fn cookies_are_separate_headers() {
    let origin = Origin::start(0).await.unwrap();
    let response = get(&origin, "/cookies").await;
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    let expected = [
        "first=1; Path=/",
        "second=2; Path=/; HttpOnly; SameSite=Lax",
        "third=3; Expires=Wed, 21 Oct 2065 07:28:00 GMT",
    ];
    assert_eq!(cookies, expected);
}

#[tokio::test]
async fn a_redirect_target_is_unchanged() {
    let origin = Origin::start(0).await.unwrap();
    let response = get(&origin, "/redirect/307?to=https%3A%2F%2Felsewhere.test%2F%3Fa%3D1").await;
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()["location"], "https://elsewhere.test/?a=1");
    assert_eq!(get(&origin, "/redirect/302?to=a%0Ab").await.status(), 400);
}

#[tokio::test]
async fn headers_come_from_the_query() {
    let origin = Origin::start(0).await.unwrap();
    let response = get(&origin, "/headers?RateLimit=%22own%22%3Br%3D1%3Bt%3D2&X-Two=1&X-Two=2").await;
    assert_eq!(response.headers()["ratelimit"], "\"own\";r=1;t=2");
    let twice: Vec<_> = response.headers().get_all("x-two").iter().collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(get(&origin, "/headers?a%20b=1").await.status(), 400);
}

#[tokio::test]
async fn a_late_response_waits_for_its_gate() {
    let origin = Origin::start(0).await.unwrap();
    let mut response = Box::pin(get(&origin, "/late/gate?X-One=1"));
    let early = tokio::time::timeout(Duration::from_millis(20), &mut response).await;
    assert!(early.is_err(), "arrived before its release: {early:?}");
    origin.release("another");
    origin.release("gate");
    assert_eq!(response.await.headers()["x-one"], "1");
    assert_eq!(origin.requests_to("/late/gate"), 1);
}

#[tokio::test]
async fn gzip_is_compressed() {
    let origin = Origin::start(0).await.unwrap();
    let response = get(&origin, "/gzip").await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let bytes = response.bytes().await.unwrap();
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert_eq!(text.lines().count(), 100);
}

#[tokio::test]
async fn head_has_headers_and_no_body() {
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
        let response = raw(&origin, &request).await;
        assert!(response.ends_with("\r\n\r\n"), "{target}: {response}");
        let status = client().request(Method::GET, origin.url() + target).send().await.unwrap().status();
        assert!(response.starts_with(&format!("HTTP/1.1 {} ", status.as_u16())), "{target}: {response}");
    }
    let response = client().head(origin.url() + "/bytes/1000").send().await.unwrap();
    assert_eq!(response.headers()["content-length"], "1000");
}
