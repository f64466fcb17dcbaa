//! `/explain` and `/configuration`.

use serde_json::{Value, json};

use crate::service::{Service, config};

/// Creates a key and returns it.
async fn key(service: &Service, tenant: &str, expires: Value) -> String {
    let body = if expires.is_null() { json!({}) } else { json!({ "expires": expires }) };
    let reply = service.call("POST", &format!("/tenants/{tenant}/keys"), body).await;
    reply.body["key"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
}

/// Explains a request with an API key.
async fn explain(service: &Service, path: &str, key: &str) -> Value {
    let request = json!({
        "method": "POST",
        "path": path,
        "headers": { "x-api-key": key, "cookie": "canary-cookie", "x-other": "canary-header" },
        "address": "203.0.113.7",
        "body": { "max_tokens": 5, "canary": "canary-body" },
    });
    let reply = service.call("POST", "/explain", request).await;
    assert_eq!((reply.status, &reply.changed), (200, &None), "{reply:?}");
    let text = reply.body.to_string();
    let secret = key.rsplit('_').next().unwrap();
    for secret in [secret, "canary", "s3cret", "concealed"] {
        assert!(!text.contains(secret), "{text} has {secret}");
    }
    reply.body
}

#[tokio::test]
async fn the_tenant_of_a_key_is_looked_up_and_charged_nothing() {
    let mut service = Service::start().await;
    let body = json!({ "id": "acme", "plan": "pro", "overrides": { "burst": { "limit": 7, "burst": 8 } } });
    assert_eq!(service.call("POST", "/tenants", body).await.status, 201);
    let key = key(&service, "acme", Value::Null).await;
    let before: Vec<String> = service.redis(&["KEYS", "*"]);

    let found = explain(&service, "/chat", &key).await;
    assert_eq!(
        found["caller"],
        json!({ "kind": "tenant", "subject": "acme", "tenant": "acme", "plan": "pro", "verified": true })
    );
    assert_eq!(
        (&found["outcome"], &found["cost"]),
        (&json!("checked"), &json!({ "units": 5, "from": "json:/max_tokens" }))
    );
    let limits: Vec<_> = found["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| json!([limit["name"], limit["limit"], limit["burst"], limit["charge"], limit["key"]]))
        .collect();
    assert_eq!(
        limits,
        [
            json!(["burst", 7, 8, 5, "sg:1:{acme}"]),
            json!(["day", 1000, null, 5, "sg:1:{acme}:log:day"]),
            json!(["inflight", 2, null, 1, "sg:1:{acme}:inflight:inflight"]),
        ]
    );
    let found = explain(&service, "/a/b", &key).await;
    assert_eq!(found["onward"]["url"], "https://host.invalid/b");
    assert_eq!(found["onward"]["removed"], json!(["x-api-key"]));
    assert!(found["onward"]["set"].as_array().unwrap().contains(&json!("x-own")));

    let mut after: Vec<String> = service.redis(&["KEYS", "*"]);
    after.sort();
    let mut before = before;
    before.sort();
    assert_eq!(after, before, "an explanation writes nothing");
}

#[tokio::test]
async fn keys_that_are_not_valid_are_explained() {
    let service = Service::start().await;
    service.tenant("acme", "pro").await;
    let (good, expiring) =
        (key(&service, "acme", Value::Null).await, key(&service, "acme", json!("2026-11-23T12:00:01Z")).await);
    let step = |found: &Value, step: &str| {
        let steps = found["steps"].to_string();
        assert!(steps.contains(step), "{steps}");
    };
    service.advance(1000);
    let found = explain(&service, "/chat", &expiring).await;
    step(&found, "The API key of the tenant acme has expired.");
    assert_eq!(
        found["caller"],
        json!({ "kind": "address", "subject": "ip:203.0.113.7", "tenant": null, "plan": "free", "verified": null })
    );
    let found = explain(&service, "/a/x", &expiring).await;
    assert_eq!((&found["outcome"], &found["refusal"]["status"]), (&json!("refused"), &json!(401)));

    let mistyped = format!("{}x", &good[..good.len() - 1]);
    step(&explain(&service, "/chat", &mistyped).await, "The API key does not count: the API key's checksum is wrong");

    service.call("PATCH", "/tenants/acme", json!({ "status": "suspended" })).await;
    let found = explain(&service, "/chat", &good).await;
    assert_eq!(found["refusal"]["problem"], "tenant-suspended");

    service.call("DELETE", "/tenants/acme", Value::Null).await;
    step(&explain(&service, "/chat", &good).await, "The API key names the tenant acme, which does not exist.");
}

#[tokio::test]
async fn invalid_requests_name_the_field() {
    let service = Service::start().await;
    for (body, paths) in [
        (json!({}), vec!["method", "path"]),
        (json!({ "method": "GET", "path": "/", "plan": "pro" }), vec!["plan"]),
        (
            json!({ "method": "GET", "path": "/", "headers": { "CF-Connecting-IP": "::1" } }),
            vec!["headers.CF-Connecting-IP"],
        ),
        (json!({ "method": "GET", "path": "/", "body": null }), vec!["body"]),
    ] {
        let reply = service.call("POST", "/explain", body).await;
        assert_eq!((reply.status, reply.paths()), (400, paths));
    }
}

#[tokio::test]
async fn the_configuration_is_shown_with_defaults_and_without_secrets() {
    let mut service = Service::start().await;
    service.rejected_config = Some("timeout: expected 1ms to 30s, found 0ms");
    let reply = service.call("GET", "/configuration", Value::Null).await;
    let shown = &reply.body;
    assert_eq!(
        shown["source"],
        json!({ "kind": "variable", "name": "SLUICEGATE", "ttl": null, "rejected": "timeout: expected 1ms to 30s, found 0ms" })
    );
    let settings = &shown["settings"];
    for (name, value) in [
        ("identify", json!(["api_key", "address"])),
        ("default_plan", json!("free")),
        ("timeout", json!("30s")),
        ("on_outage", json!("open")),
        ("scripts", json!("auto")),
        ("log_refused", json!("summary")),
        ("jwt", Value::Null),
    ] {
        assert_eq!(settings[name], value, "{name}");
    }
    assert_eq!(shown["plans"].as_object().unwrap().len(), config()["plans"].as_object().unwrap().len());
    let burst = json!({
        "name": "burst", "algorithm": "token_bucket", "limit": 50, "window": "10s", "burst": 100, "lease": null,
        "counts": "cost", "by": null,
    });
    assert_eq!((&shown["plans"]["pro"]["limits"][0], &shown["plans"]["pro"]["prefetch"]), (&burst, &Value::Null));
    assert_eq!(
        shown["routes"],
        json!([
            { "match": "POST /chat", "cost": "json:/max_tokens | 2", "cost_most": 9, "read_body": 262_144, "limits": [], "settle": "x-tokens" },
            { "match": "* /a/*", "cost": 1, "limits": [], "require_key": true, "strip": "/a", "set": ["x-own"] },
        ])
    );
    assert!(!shown.to_string().contains("s3cret"));
}
