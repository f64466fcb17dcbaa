//! A tenant's usage: report, refund and reset.

use serde_json::{Value, json};

use crate::service::Service;

const DAY: u64 = 86_400_000;

/// Charges units to the tenant `acme`.
async fn charge(service: &Service, cost: u64) {
    let reply = service.call("POST", "/check", json!({ "tenant": "acme", "cost": cost, "lease": "r" })).await;
    assert_eq!((reply.status, &reply.body["allowed"]), (200, &json!(true)), "{reply:?}");
}

/// Returns the name and the used units of each limit.
fn used(reply: &Value) -> Vec<(&str, u64)> {
    let limits = reply["limits"].as_array().unwrap().iter();
    limits.map(|limit| (limit["name"].as_str().unwrap(), limit["used"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn usage_reports_each_limit_and_day() {
    let service = Service::start().await;
    service.tenant("acme", "pro").await;
    charge(&service, 7).await;
    service.advance(DAY);
    charge(&service, 5).await;
    let usage = service.call("GET", "/tenants/acme/usage", Value::Null).await;
    assert_eq!(usage.status, 200, "{usage:?}");
    assert_eq!(
        usage.body["limits"],
        json!([
            { "name": "burst", "algorithm": "token_bucket", "limit": 50, "used": 5, "remaining": 95, "reset_ms": 1000 },
            { "name": "day", "algorithm": "sliding_log", "limit": 1000, "used": 5, "remaining": 995, "reset_ms": DAY },
            { "name": "inflight", "algorithm": "concurrency", "limit": 2, "used": 1, "remaining": 1, "reset_ms": 30_000 },
        ])
    );
    assert_eq!(usage.body["today"], json!({ "day": "2026-11-24", "units": 5 }));
    assert_eq!(usage.body["history"], json!([{ "day": "2026-11-23", "units": 7 }]));
    assert_eq!((&usage.body["tenant"], &usage.body["plan"]), (&json!("acme"), &json!("pro")));
}

#[tokio::test]
async fn usage_shows_an_active_override() {
    let service = Service::start().await;
    let until = "2026-11-23T13:00:00Z";
    let overrides = json!({ "day": { "limit": 5000, "until": until } });
    let body = json!({ "id": "acme", "plan": "free", "overrides": overrides });
    assert_eq!(service.call("POST", "/tenants", body).await.status, 201);
    let day = |reply: Value| reply["limits"][1]["limit"].clone();
    assert_eq!(day(service.call("GET", "/tenants/acme/usage", Value::Null).await.body), 5000);
    service.advance(3_600_000);
    assert_eq!(day(service.call("GET", "/tenants/acme/usage", Value::Null).await.body), 100);
}

#[tokio::test]
async fn a_refund_happens_once() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    charge(&service, 8).await;
    let refund = json!({ "units": 5, "request": "r-1", "charged_at": "2026-11-23T12:00:00Z" });
    let first = service.call("POST", "/tenants/acme/refund", refund.clone()).await;
    assert_eq!(
        first.body,
        json!({ "refunded": true, "limits": [{ "name": "minute", "units": 5 }, { "name": "day", "units": 5 }] })
    );
    let second = service.call("POST", "/tenants/acme/refund", refund).await;
    assert_eq!((second.status, second.body), (200, json!({ "refunded": false, "limits": [] })));
    let usage = service.call("GET", "/tenants/acme/usage", Value::Null).await;
    assert_eq!(used(&usage.body), [("minute", 3), ("day", 3)]);
    assert_eq!(usage.body["today"]["units"], 3, "refunded units do not count as usage");
}

#[tokio::test]
async fn a_refund_defaults_to_the_recent_past() {
    let service = Service::start().await;
    service.tenant("acme", "pro").await;
    charge(&service, 10).await;
    service.advance(500);
    let refund = service.call("POST", "/tenants/acme/refund", json!({ "units": 4, "request": "r" })).await;
    assert_eq!(
        refund.body["limits"],
        json!([
            { "name": "burst", "units": 4 },
            { "name": "day", "units": 4 },
            { "name": "inflight", "units": 0 },
        ])
    );
}

#[tokio::test]
async fn a_reset_clears_all_usage() {
    let mut service = Service::start().await;
    service.tenant("acme", "pro").await;
    charge(&service, 100).await;
    let refused = service.call("POST", "/check", json!({ "tenant": "acme", "lease": "s" })).await;
    assert_eq!(refused.body["allowed"], false);
    // A reset without a body; a reset with an empty object follows.
    assert_eq!(service.call("POST", "/tenants/acme/reset", Value::Null).await.status, 204);
    let left: Vec<String> = service.redis(&["KEYS", "*acme*"]);
    assert_eq!(left, ["sg:1:{acme}:tenant"]);
    charge(&service, 100).await;
    assert_eq!(service.call("POST", "/tenants/acme/reset", json!({})).await.status, 204);
    let extra = service.call("POST", "/tenants/acme/reset", json!({ "limits": ["day"] })).await;
    assert_eq!((extra.status, extra.paths()), (400, vec!["limits"]));
}

#[tokio::test]
async fn history_survives_the_removal_of_a_plan() {
    let mut service = Service::start().await;
    service.tenant("acme", "free").await;
    charge(&service, 3).await;
    let text: String = service.redis(&["GET", "sg:1:{acme}:tenant"]);
    service.redis::<()>(&["SET", "sg:1:{acme}:tenant", &text.replace("\"free\"", "\"gold\"")]);
    let usage = service.call("GET", "/tenants/acme/usage", Value::Null).await;
    assert_eq!((usage.status, &usage.body["limits"], &usage.body["today"]["units"]), (200, &json!([]), &json!(3)));
    for (path, body) in
        [("/check", json!({ "tenant": "acme" })), ("/tenants/acme/refund", json!({ "units": 1, "request": "r" }))]
    {
        let reply = service.call("POST", path, body).await;
        assert_eq!((reply.status, reply.kind()), (409, "unknown-plan"), "{path}");
    }
}

#[tokio::test]
async fn wrong_input_is_named() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    for (body, paths) in [
        (json!({}), vec!["units", "request"]),
        (json!({ "units": 0, "request": "a b" }), vec!["units", "request"]),
        (json!({ "units": 1, "request": "r", "charged_at": null }), vec!["charged_at"]),
        (json!({ "units": 1, "request": "r", "charged_at": "1969-12-31T23:59:59Z" }), vec!["charged_at"]),
    ] {
        let reply = service.call("POST", "/tenants/acme/refund", body.clone()).await;
        assert_eq!((reply.status, reply.paths()), (400, paths), "{body}");
    }
}
