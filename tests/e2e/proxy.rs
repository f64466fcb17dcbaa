//! The proxy: requests and responses pass unchanged and unbuffered.

use futures_util::{StreamExt, stream};
use reqwest::{Body, Method};
use serde_json::{Value, json};
use sluicegate_devstack::Stack;
use sluicegate_devstack::origin::pattern;

use crate::log;
use crate::support::{body, client, echoed, get, header, plenty, raw, stack};

/// All tests share one stack, because each stack starts half a dozen processes.
#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_passes_requests_through_unchanged() {
    let mut stack = stack(plenty()).await;
    method_and_body(&stack).await;
    path_and_query(&stack).await;
    headers_to_the_origin(&stack).await;
    headers_that_only_look_different(&stack).await;
    headers_from_the_origin(&stack).await;
    statuses(&stack).await;
    statuses_that_cannot_be_passed_on(&stack).await;
    redirects(&stack).await;
    cookies(&stack).await;
    head(&stack).await;
    encodings(&stack).await;
    volume(&stack).await;
    pieces(&stack, "/stream").await;
    pieces(&stack, "/sse").await;
    a_client_that_goes_away_ends_the_stream(&stack).await;
    crate::upgrade::websocket(&stack).await;
    crate::upgrade::a_refused_upgrade(&stack).await;
    origin_down(&mut stack).await;
    stack.stop().await;
}

pub(crate) async fn method_and_body(stack: &Stack) {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = client().request(method.clone(), format!("{}/any", stack.worker.url()));
        if !matches!(method, Method::GET | Method::OPTIONS) {
            request = request.body("a body\n");
        }
        let echo = body(request.send().await.unwrap()).await;
        assert_eq!(echo["method"], method.as_str());
        let expected = if matches!(method, Method::GET | Method::OPTIONS) { "" } else { "a body\n" };
        assert_eq!(echo["body"]["text"], expected, "{method}");
    }
}

/// Sends a raw request target and returns the JSON body of the response.
async fn raw_get(stack: &Stack, target: &str) -> (String, Value) {
    let (head, body) = raw(stack, "GET", target, "").await;
    let (from, to) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    (head, serde_json::from_str(&body[from..=to]).unwrap())
}

async fn path_and_query(stack: &Stack) {
    for target in [
        "/",
        "//",
        "//host/path",
        "/a//b/",
        "/a%2Fb",
        "/%41%7e~",
        "/a;b=c,d",
        "/x?",
        "/x??",
        "/x?a=%20b&&c=+&=d",
        "/x?u=https://y/z",
        "/%E4%B8%AD",
        "/x?%zz",
        "/a%00b",
        "/A/B?C=D",
    ] {
        let (head, echo) = raw_get(stack, target).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{target}: {head}");
        assert_eq!(echo["target"], target);
    }
    // What the URL standard normalizes.
    for (target, arrives) in [
        ("/a/../b/%2e%2e/c", "/c"),
        ("/x?a='b", "/x?a=%27b"),
        ("/a\\b", "/a/b"),
        ("/x?y#z", "/x?y"),
        ("/_sluicegate/../x", "/x"),
        ("/_sluicegate%2Fhealth", "/_sluicegate%2Fhealth"),
    ] {
        assert_eq!(raw_get(stack, target).await.1["target"], arrives, "{target}");
    }
    let (head, health) = raw_get(stack, "/x/../_sluicegate/health").await;
    assert!(
        head.starts_with("HTTP/1.1 200") && health["status"] == "ok",
        "what would reach the origin as ours is ours: {head}"
    );
}

async fn headers_to_the_origin(stack: &Stack) {
    let host = stack.worker.address().to_string();
    let request = get(stack, "/any")
        .header("x-one", "1")
        .header("x-two", "a")
        .header("x-two", "b")
        .header("authorization", "Bearer of the client")
        .header("x-forwarded-for", "198.51.100.66")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "gopher")
        .header("forwarded", "for=198.51.100.66")
        .header("x-real-ip", "198.51.100.66")
        .header("true-client-ip", "198.51.100.66")
        .header("sluicegate-tenant", "root")
        .header("te", "trailers")
        .header("keep-alive", "timeout=5")
        .header("proxy-authorization", "Basic aHVudGVyMg==");
    let echo = body(request.send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "x-one"), ["1"]);
    assert_eq!(echoed(&echo, "x-two").join(", "), "a, b");
    assert_eq!(echoed(&echo, "authorization"), ["Bearer of the client"]);
    assert_eq!(echoed(&echo, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(echoed(&echo, "x-forwarded-host"), [host]);
    assert_eq!(echoed(&echo, "x-forwarded-proto"), ["http"]);
    for gone in
        ["forwarded", "x-real-ip", "true-client-ip", "sluicegate-tenant", "te", "keep-alive", "proxy-authorization"]
    {
        assert!(echoed(&echo, gone).is_empty(), "{gone}: {echo}");
    }
}

/// Sends raw lines, since HTTP clients refuse some of them.
async fn headers_that_only_look_different(stack: &Stack) {
    let lines = "TE: trailers\r\nKeep-Alive: 5\r\nX_Forwarded_For: 198.51.100.66\r\nX_Real-IP: 198.51.100.66\r\n\
        Upgrade: h2c\r\nX-Empty:\r\nX-Kept: a: b, c\r\n";
    let mut stream = tokio::net::TcpStream::connect(stack.worker.address()).await.unwrap();
    let request = format!("GET /any HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{lines}\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    let echo: Value = serde_json::from_str(&answer[from..=to]).unwrap();
    for gone in ["te", "keep-alive", "x_forwarded_for", "x_real-ip", "upgrade"] {
        assert!(echoed(&echo, gone).is_empty(), "{gone}: {echo}");
    }
    assert_eq!(echoed(&echo, "x-empty"), [""]);
    assert_eq!(echoed(&echo, "x-kept"), ["a: b, c"]);
    assert!(!answer.contains("198.51.100.66"), "{answer}");
}

async fn headers_from_the_origin(stack: &Stack) {
    let answer = get(
        stack,
        "/headers?X-One=1&X-Two=a&X-Two=b&RateLimit=%22origin%22%3Br%3D3%3Bt%3D9&RateLimit-Policy=%22origin%22%3Bq%3D5%3Bw%3D9\
         &Server-Timing=db%3Bdur%3D5&Keep-Alive=timeout%3D9&Proxy-Authenticate=Basic&Retry-After=7",
    )
    .send()
    .await
    .unwrap();
    assert_eq!(header(&answer, "x-one"), "1");
    assert_eq!(header(&answer, "x-two"), "a, b");
    assert_eq!(header(&answer, "retry-after"), "7", "the origin's own");
    assert!(
        header(&answer, "ratelimit").starts_with("\"origin\";r=3;t=9, \"plenty\";r="),
        "{}",
        header(&answer, "ratelimit")
    );
    assert!(header(&answer, "ratelimit-policy").starts_with("\"origin\";q=5;w=9, \"plenty\";q=100000;w=10"));
    assert!(header(&answer, "server-timing").starts_with("db;dur=5, limiter;dur="));
    for gone in ["keep-alive", "proxy-authenticate"] {
        assert_eq!(header(&answer, gone), "");
    }
}

pub(crate) async fn statuses(stack: &Stack) {
    for status in [200, 201, 204, 205, 299, 304, 400, 401, 404, 418, 429, 500, 503, 599] {
        let answer = get(stack, &format!("/status/{status}")).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(header(&answer, "ratelimit").starts_with("\"plenty\""), "{status}");
    }
}

/// No response of the Workers runtime has a status above 599.
async fn statuses_that_cannot_be_passed_on(stack: &Stack) {
    for status in [600, 999] {
        let answer = get(stack, &format!("/status/{status}")).send().await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(header(&answer, "content-type"), "application/problem+json");
        assert!(header(&answer, "ratelimit").starts_with("\"plenty\""), "it was checked and charged");
        let cause = format!("the origin answered with status {status}, which cannot be passed on");
        assert_eq!(body(answer).await["detail"], cause);
        assert_eq!(log::wait_for(stack, &format!("status {status}")).await["error"], cause);
    }
}

pub(crate) async fn redirects(stack: &Stack) {
    for status in [301, 302, 303, 307, 308] {
        let before = stack.origin.requests();
        let answer = get(stack, &format!("/redirect/{status}?to=https://elsewhere.example/x?y")).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(header(&answer, "location"), "https://elsewhere.example/x?y");
        assert_eq!(stack.origin.requests() - before, 1, "the redirect is the client's to follow");
    }
}

pub(crate) async fn cookies(stack: &Stack) {
    let direct = reqwest::get(format!("{}/cookies", stack.origin.url())).await.unwrap();
    let answer = get(stack, "/cookies").send().await.unwrap();
    let all = |response: &reqwest::Response| -> Vec<String> {
        response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(all(&direct).len(), 3);
    assert_eq!(all(&answer), all(&direct));
}

pub(crate) async fn head(stack: &Stack) {
    let answer = client().head(format!("{}/bytes/12345", stack.worker.url())).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(header(&answer, "ratelimit").starts_with("\"plenty\""));
    assert!(answer.bytes().await.unwrap().is_empty());
}

pub(crate) async fn encodings(stack: &Stack) {
    let direct =
        client().get(format!("{}/gzip", stack.origin.url())).header("accept-encoding", "gzip").send().await.unwrap();
    let answer = get(stack, "/gzip").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&answer, "content-encoding"), "gzip");
    assert_eq!(answer.bytes().await.unwrap(), direct.bytes().await.unwrap());
}

pub(crate) async fn volume(stack: &Stack) {
    let answer = get(stack, &format!("/bytes/{HUNDRED_MB}")).send().await.unwrap();
    let mut pieces = answer.bytes_stream();
    let mut received = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        assert_eq!(piece, pattern(received, piece.len()), "from byte {received}");
        received += piece.len() as u64;
    }
    assert_eq!(received, HUNDRED_MB);

    let pieces =
        (0..HUNDRED_MB / PIECE).map(|i| Ok::<_, std::io::Error>(pattern(i * PIECE, usize::try_from(PIECE).unwrap())));
    let upload = client().post(format!("{}/upload", stack.worker.url())).body(Body::wrap_stream(stream::iter(pieces)));
    let answer = body(upload.send().await.unwrap()).await;
    assert_eq!(answer, json!({ "bytes": HUNDRED_MB, "pattern": true }));
}

/// The origin sends a piece only after this test has seen the previous one.
pub(crate) async fn pieces(stack: &Stack, path: &str) {
    let gate = format!("gate{}", path.trim_start_matches('/'));
    let mut answer = get(stack, &format!("{path}?n=3&gate={gate}")).send().await.unwrap();
    let mut seen = Vec::new();
    for i in 0..3 {
        stack.origin.release(&gate);
        let piece = answer.chunk().await.unwrap().expect("a piece came although the next is not yet sent");
        seen.push(String::from_utf8(piece.to_vec()).unwrap());
        assert_eq!(seen.len(), i + 1);
    }
    assert_eq!(answer.chunk().await.unwrap(), None, "{seen:?}");
    if path == "/sse" {
        assert!(seen.iter().all(|event| event.contains("data:") && event.ends_with("\n\n")), "{seen:?}");
    }
}

pub(crate) async fn a_client_that_goes_away_ends_the_stream(stack: &Stack) {
    let mut answer = get(stack, "/stream?n=1000000&every=1").send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    assert_eq!(stack.origin.open_streams(), 1);
    drop(answer);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while stack.origin.open_streams() > 0 {
        assert!(tokio::time::Instant::now() < deadline, "the origin still streams to nobody");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn origin_down(stack: &mut Stack) {
    stack.origin.stop().await;
    let answer = get(stack, "/any").send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    assert!(header(&answer, "ratelimit").starts_with("\"plenty\""), "it was judged and charged");
    assert_eq!(body(answer).await["detail"], "the origin does not answer");
    let line = log::wait_for(stack, "the origin does not answer").await;
    assert_eq!((&line["event"], &line["what"]), (&json!("failure"), &json!("origin")));
    let error = line["error"].as_str().unwrap();
    assert!(error.starts_with("the origin does not answer: ") && error.len() < 300, "{error}");
    assert!(!error.contains('\n') && !error.contains("    at "), "one cause, and no stack: {error}");
    stack.origin.restart().await.unwrap();
    assert_eq!(get(stack, "/any").send().await.unwrap().status(), 200);
}

const HUNDRED_MB: u64 = 100 * 1024 * 1024;
const PIECE: u64 = 64 * 1024;
