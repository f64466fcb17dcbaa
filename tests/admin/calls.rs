//! The rules for every call: token, paths, methods, bodies and headers.

use serde_json::{Value, json};
use sluicegate::admin::{Call, MAX_BODY};

use crate::service::{Reply, Service, TOKEN};

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

#[tokio::test]
async fn only_the_description_needs_no_token() {
    let service = Service::start().await;
    for path in ["/tenants", "/check", "/no/such/path", "", "/"] {
        for authorization in [None, Some("Bearer x"), Some("Basic YTpi"), Some(TOKEN)] {
            let call = Call { method: "GET", path, authorization, ..Call::default() };
            let reply = Reply::from(service.send(&call).await);
            assert_eq!((reply.status, reply.kind()), (401, "unauthorized"), "{path} {authorization:?}");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    let call = Call { method: "GET", path: "/openapi.json", ..Call::default() };
    let reply = Reply::from(service.send(&call).await);
    assert_eq!((reply.status, &reply.body["openapi"]), (200, &json!("3.1.0")));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let service = Service::start().await;
    for path in ["/", "/tenants/", "/tenants/a/b", "/Tenants", "/check/x"] {
        let reply = service.call("GET", path, Value::Null).await;
        assert_eq!((reply.status, reply.kind()), (404, "not-found"), "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "/tenants", "GET, HEAD, POST"),
        ("POST", "/tenants/a", "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", "/check", "POST"),
        ("OPTIONS", "/check", "POST"),
        ("get", "/diagnosis", "GET, HEAD"),
    ] {
        let reply = service.call(method, path, Value::Null).await;
        assert_eq!((reply.status, reply.kind()), (405, "method-not-allowed"), "{method} {path}");
        assert_eq!(reply.header("allow"), allow);
    }
}

#[tokio::test]
async fn bodies_are_json_of_a_limited_size() {
    let service = Service::start().await;
    let authorization = bearer();
    let call = Call { method: "POST", path: "/tenants", authorization: Some(&authorization), ..Call::default() };
    let json = Some("application/json");
    for (content_type, body, status, kind) in [
        (None, "{}".to_owned(), 415, "unsupported-media-type"),
        (Some("text/plain"), "{}".to_owned(), 415, "unsupported-media-type"),
        (Some("application/merge-patch+json"), "{}".to_owned(), 415, "unsupported-media-type"),
        (json, String::new(), 400, "invalid-request"),
        (json, "{".to_owned(), 400, "invalid-request"),
        (json, "[]".to_owned(), 400, "invalid-request"),
        (json, "[".repeat(MAX_BODY), 400, "invalid-request"),
        (json, " ".repeat(MAX_BODY + 1), 413, "too-large"),
    ] {
        let reply = Reply::from(service.send(&Call { content_type, body: body.as_bytes(), ..call }).await);
        assert_eq!((reply.status, reply.kind()), (status, kind), "{content_type:?}");
    }
    for good in ["application/json", "Application/JSON; charset=utf-8"] {
        let reply =
            service.send(&Call { content_type: Some(good), body: br#"{"id":"a","plan":"free"}"#, ..call }).await;
        assert!([201, 409].contains(&reply.status), "{good}: {reply:?}");
    }
}

#[tokio::test]
async fn duplicate_keys_in_a_body_are_refused() {
    let service = Service::start().await;
    let authorization = bearer();
    let call = Call { method: "POST", path: "/tenants", authorization: Some(&authorization), ..Call::default() };
    for (body, path, problem) in [
        (r#"{"id":"a","plan":"free","plan":"pro"}"#, "", "the key \"plan\" appears twice"),
        (
            r#"{"id":"a","plan":"free","overrides":{"burst":{"limit":1,"limit":2}}}"#,
            "overrides.burst",
            "the key \"limit\" appears twice",
        ),
    ] {
        let call = Call { content_type: Some("application/json"), body: body.as_bytes(), ..call };
        let reply = Reply::from(service.send(&call).await);
        assert_eq!((reply.status, reply.kind()), (400, "invalid-request"), "{body}");
        assert_eq!(reply.body["errors"], json!([{ "path": path, "problem": problem }]));
    }
}

#[tokio::test]
async fn responses_are_not_cached_or_shared_across_origins() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    for (method, path) in [
        ("GET", "/openapi.json"),
        ("GET", "/tenants"),
        ("GET", "/tenants/acme"),
        ("GET", "/tenants/nobody"),
        ("DELETE", "/tenants/acme"),
        ("GET", "/nothing"),
    ] {
        let reply = service.call(method, path, Value::Null).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{method} {path}");
        assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("access-control-")), "{method} {path}");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let service = Service::start().await;
    let etag = service.tenant("acme", "free").await;
    let reply = service.call("HEAD", "/tenants/acme", Value::Null).await;
    assert_eq!((reply.status, &reply.body, reply.header("etag")), (200, &Value::Null, etag.as_str()));
    assert_eq!(service.call("HEAD", "/tenants/nobody", Value::Null).await.status, 404);
}

#[tokio::test]
async fn unknown_query_parameters_are_refused() {
    let service = Service::start().await;
    for (path, wrong) in [
        ("/tenants?limit=0", "limit"),
        ("/tenants?limit=101", "limit"),
        ("/tenants?limit=%2B5", "limit"),
        ("/tenants?limit=", "limit"),
        ("/tenants?cursor=A", "cursor"),
        ("/tenants?page=2", "page"),
        ("/tenants?limit=1&limit=2", "limit"),
        ("/diagnosis?limit=1", "limit"),
    ] {
        let reply = service.call("GET", path, Value::Null).await;
        assert_eq!((reply.status, reply.paths()), (400, vec![wrong]), "{path}");
    }
}
