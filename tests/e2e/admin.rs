//! The admin API as the Worker serves it.

use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};

use crate::api::api;
use crate::log;
use crate::schemathesis::hold_to_description;
use crate::service;
use crate::support::{body, client, get, header, plenty, problem, raw, status};

#[tokio::test(flavor = "multi_thread")]
async fn without_the_admin_token_there_is_no_api() {
    let vars = vec![("SLUICEGATE_ADMIN_TOKEN".to_owned(), String::new())];
    let stack = Stack::start(Options { sluicegate: Some(plenty()), vars, ..Options::default() }).await.unwrap();
    let nothing = get(&stack, "/_sluicegate/nothing").send().await.unwrap().text().await.unwrap();
    for path in ["/tenants", "/tenants/acme", "/check", "/openapi.json", "/diagnosis", "/locks/a/acquire", "/", "/x"] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let url = format!("{}/_sluicegate/v1{path}", stack.worker.url());
            let request = client().request(Method::from_bytes(method.as_bytes()).unwrap(), url);
            // Neither an empty token nor another deployment's token is accepted.
            for token in ["", stack.secrets.admin_token.as_str()] {
                let answer = request.try_clone().unwrap().bearer_auth(token).send().await.unwrap();
                assert_eq!(answer.status(), 404, "{method} {path}");
                assert_eq!(answer.text().await.unwrap(), nothing, "{method} {path}: as if it were nothing");
            }
        }
    }
    assert_eq!(stack.origin.requests(), 0);
    stack.stop().await;
}

/// All tests share one stack.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_requires_the_admin_token() {
    let secrets = vec![("ORIGIN_KEY".to_owned(), "k".to_owned())];
    let options = Options { sluicegate: Some(service::config()), secrets, ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    tokens(&stack).await;
    headers(&stack).await;
    sizes(&stack).await;
    any_body(&stack).await;
    let (base, token) = (format!("{}/_sluicegate/v1", stack.worker.url()), stack.secrets.admin_token.clone());
    let found = tokio::task::spawn_blocking(move || hold_to_description(&base, &token)).await.unwrap();
    if let Err(report) = found {
        panic!("{report}\n{}", failures(&stack));
    }
    assert_eq!(failures(&stack), "", "no input is a failure of ours");
    log::expect_no_secrets(&stack, &[]);
    assert_eq!(stack.origin.requests(), 0);
    stack.stop().await;
}

fn failures(stack: &Stack) -> String {
    let lines = log::lines(stack).into_iter().filter(|line| line["event"] == "failure");
    lines.map(|line| line.to_string()).collect::<Vec<_>>().join("\n")
}

async fn tokens(stack: &Stack) {
    let token = stack.secrets.admin_token.as_str();
    let wrong = [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer wrong".to_owned()),
        Some(format!("Bearer {}", &token[1..])),
        Some(format!("Bearer {token}0")),
        Some(format!("Basic {token}")),
        Some(token.to_owned()),
    ];
    for authorization in wrong {
        for (method, path) in [("GET", "/tenants"), ("POST", "/check"), ("GET", "/nothing"), ("DELETE", "/tenants/x")] {
            let url = format!("{}/_sluicegate/v1{path}", stack.worker.url());
            let mut request = client().request(Method::from_bytes(method.as_bytes()).unwrap(), url);
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(header(&answer, "www-authenticate"), "Bearer", "{authorization:?}");
            assert_eq!(header(&answer, "cache-control"), "no-store");
            assert_eq!(answer.status(), 401, "{authorization:?} {method} {path}");
            assert_eq!(body(answer).await["type"], "urn:sluicegate:problem:unauthorized");
        }
    }
    assert_eq!(status(get(stack, "/_sluicegate/v1/openapi.json")).await, 200);
    assert_eq!(status(api(stack, "GET", "/tenants", &Value::Null)).await, 200);
}

/// No cache stores a response, and no page of another origin can read it.
async fn headers(stack: &Stack) {
    for (method, path, body, expected) in [
        ("GET", "/openapi.json", Value::Null, 200),
        ("GET", "/tenants", Value::Null, 200),
        ("POST", "/tenants", json!({ "id": "acme", "plan": "free" }), 201),
        ("POST", "/tenants/acme/keys", json!({}), 201),
        ("GET", "/tenants/none", Value::Null, 404),
        ("GET", "/nothing", Value::Null, 404),
        ("POST", "/check", json!({ "tenant": "acme", "cost": 1 }), 200),
        ("POST", "/check", json!({}), 400),
        ("OPTIONS", "/tenants", Value::Null, 405),
        ("DELETE", "/tenants/acme", Value::Null, 204),
    ] {
        let request = api(stack, method, path, &body).header("origin", "https://elsewhere.example");
        let request = request.header("access-control-request-method", "GET");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{method} {path}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{method} {path}");
        let cors = answer.headers().keys().find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(cors, None, "{method} {path}");
    }
}

const MOST: usize = 64 * 1024;

/// Returns a body of exactly this many bytes with a valid value.
fn of_size(bytes: usize) -> String {
    let (before, after) = (r#"{"expected":null,"new":"x"#, r#""}"#);
    let blanks = " ".repeat(bytes - before.len() - after.len());
    format!("{before}{after}{blanks}")
}

async fn sizes(stack: &Stack) {
    let swap = |body: Body| {
        api(stack, "POST", "/values/large/swap", &Value::Null).header("content-type", "application/json").body(body)
    };
    let chunked = |text: String| {
        let chunks: Vec<_> =
            text.into_bytes().chunks(1000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
        Body::wrap_stream(stream::iter(chunks))
    };
    assert_eq!(problem(swap(of_size(MOST + 1).into()), 413).await, "too-large");
    assert_eq!(problem(swap(chunked(of_size(MOST + 1))), 413).await, "too-large", "without a length that tells it");
    assert_eq!(problem(swap(chunked(of_size(10 * MOST))), 413).await, "too-large");
    assert_eq!(status(swap(of_size(MOST).into())).await, 200);
    assert_eq!(problem(swap(chunked(of_size(MOST))), 409).await, "value-conflict", "it is read, and there already");
}

/// Malformed requests.
async fn any_body(stack: &Stack) {
    for (content_type, sent, status, kind) in [
        ("application/json", &b""[..], 400, "invalid-request"),
        ("application/json", b"\xff\xfe\x00", 400, "invalid-request"),
        ("application/json", b"[]", 400, "invalid-request"),
        ("application/json; charset=utf-8", b"{}", 400, "invalid-request"),
        ("text/plain", b"{}", 415, "unsupported-media-type"),
        ("", b"{}", 415, "unsupported-media-type"),
    ] {
        let request = api(stack, "POST", "/check", &Value::Null).header("content-type", content_type);
        assert_eq!(problem(request.body(sent.to_vec()), status).await, kind, "{content_type}: {sent:?}");
    }
    let deep = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
    let request = api(stack, "POST", "/check", &Value::Null).header("content-type", "application/json").body(deep);
    assert_eq!(problem(request, 400).await, "invalid-request");
    let token = stack.secrets.admin_token.as_str();
    for target in ["/_sluicegate/v1/tenants/%00", "/_sluicegate/v1/tenants/%ff", "/_sluicegate/v1/tenants/a%2Fb"] {
        let (head, _) = raw(stack, "GET", target, &format!("Authorization: Bearer {token}\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 400") || head.starts_with("HTTP/1.1 404"), "{target}: {head}");
    }
}
