//! Browsers with pages of other origins: they read our responses, and their preflights always pass.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sluicegate_devstack::{Origin, Stack};

use crate::page::in_chromium;
use crate::support::{ADDRESS, client, header, limits, plenty, stack};

/// A limit of two a day on `/headers`, a key for its `DELETE` and for `/keyed`, nobody for its `PATCH` and on `/denied`.
fn configuration(cors: &Value) -> Value {
    let day = json!([{ "name": "day", "algorithm": "fixed_window", "limit": 2, "window": "day" }]);
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    config["cors"] = cors.clone();
    config["plans"]["narrow"] = json!({ "limits": day });
    config["routes"] = json!([
        { "match": "DELETE /headers", "require_key": true },
        { "match": "PATCH /headers", "deny": ["0.0.0.0/0", "::/0"] },
        { "match": "* /headers", "plan": "narrow" },
        { "match": "* /keyed", "require_key": true },
        { "match": "* /denied", "deny": ["0.0.0.0/0", "::/0"] },
    ]);
    config
}

fn send(stack: &Stack, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", stack.worker.url())).header(ADDRESS, "192.0.2.1").header("origin", APP)
}

async fn preflight(stack: &Stack, path: &str) -> Response {
    preflight_of(stack, "PUT", path).await
}

async fn preflight_of(stack: &Stack, method: &str, path: &str) -> Response {
    let request = send(stack, Method::OPTIONS, path).header("access-control-request-method", method);
    request.header("access-control-request-headers", "authorization,x-custom").send().await.unwrap()
}

/// Returns `Access-Control-Allow-Origin`, `Vary` and whether `Access-Control-Expose-Headers` has `Retry-After-Ms`.
fn readable(response: &Response) -> (String, String, bool) {
    let exposed = header(response, "access-control-expose-headers");
    (header(response, "access-control-allow-origin"), header(response, "vary"), exposed.contains("Retry-After-Ms"))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_read_our_responses_in_chromium() {
    for way in ["forward", "answer"] {
        let (app, stranger) = (Origin::start(0).await.unwrap(), Origin::start(0).await.unwrap());
        let cors = json!({ "origins": [app.url()], "credentials": true, "preflight": way });
        let stack = stack(configuration(&cors)).await;
        in_chromium(&["cors"], &[("APP", &app.url()), ("STRANGER", &stranger.url())], stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_preflights_are_neither_charged_nor_refused() {
    let stack = stack(configuration(&json!({ "origins": [APP] }))).await;
    let echoes = "/headers?Access-Control-Allow-Origin=*&Vary=Accept";
    for _ in 0..5 {
        let answer = preflight(&stack, echoes).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit").as_str()), (200, ""));
        assert_eq!(readable(&answer), ("*".to_owned(), "Accept".to_owned(), false), "only the origin's headers");
        assert!(header(&answer, "server-timing").ends_with("desc=\"exempt\""));
    }
    for (left, status) in [("1", 200), ("0", 200), ("0", 429)] {
        let answer = send(&stack, Method::GET, echoes).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(header(&answer, "ratelimit").contains(&format!("r={left};")), "{}", header(&answer, "ratelimit"));
    }
    let reached = stack.origin.requests();
    assert_eq!(preflight(&stack, echoes).await.status(), 200, "the quota is used up");
    assert_eq!(preflight(&stack, "/keyed").await.status(), 200, "a preflight has no key");
    assert_eq!(stack.origin.requests() - reached, 2);
    for (method, path) in [("PUT", "/denied"), ("PUT", "/keyed%2F..%2Fheaders"), ("PATCH", "/headers")] {
        let answer = preflight_of(&stack, method, path).await;
        assert_eq!((answer.status().as_u16(), readable(&answer).0.as_str()), (204, APP), "{path}");
    }
    assert_eq!(
        stack.origin.requests() - reached,
        2,
        "a request that never reaches the origin sends no preflight there"
    );
    // Without the header of a preflight it is a request like any other.
    assert_eq!(send(&stack, Method::OPTIONS, echoes).send().await.unwrap().status(), 429);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_can_be_read() {
    let mut config = configuration(&json!({ "origins": "*", "preflight": "answer" }));
    config["timeout"] = json!("300ms");
    let mut stack = stack(config).await;
    let reached = stack.origin.requests();
    let answer = preflight(&stack, "/hello").await;
    assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-methods").as_str()), (204, "PUT"));
    assert_eq!(header(&answer, "access-control-allow-headers"), "authorization,x-custom");
    assert_eq!(header(&answer, "access-control-max-age"), "7200");
    assert_eq!(stack.origin.requests(), reached);

    let expected = ("*".to_owned(), "Origin".to_owned(), true);
    for (path, status) in [("/keyed", 401), ("/denied", 403), ("/keyed%2F..%2Fheaders", 400), ("/reset?after=0", 502)] {
        let answer = send(&stack, Method::GET, path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), readable(&answer)), (status, expected.clone()), "{path}");
    }
    for status in [200, 200, 429] {
        let answer = send(&stack, Method::GET, "/headers").send().await.unwrap();
        assert_eq!(answer.status(), status);
        let cors = if status == 429 { expected.clone() } else { Default::default() };
        assert_eq!(readable(&answer), cors, "the origin does not let pages read, and that is its own choice");
    }
    let api = send(&stack, Method::GET, "/_sluicegate/v1/tenants").send().await.unwrap();
    assert_eq!((api.status().as_u16(), readable(&api)), (401, Default::default()), "the API is for no page");
    stack.bridge.stop().await;
    let answer = send(&stack, Method::GET, "/hello").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), readable(&answer)), (503, expected));
    assert_eq!(preflight(&stack, "/hello").await.status(), 204, "preflights do not need Redis");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_cors_a_preflight_is_a_request_like_any_other() {
    let day = json!([{ "name": "day", "algorithm": "fixed_window", "limit": 1, "window": "day" }]);
    let stack = stack(limits(&day)).await;
    assert_eq!(preflight(&stack, "/hello").await.status(), 200);
    let answer = preflight(&stack, "/hello").await;
    assert_eq!((answer.status().as_u16(), readable(&answer)), (429, Default::default()));
    stack.stop().await;
}

const APP: &str = "https://app.example.com";
