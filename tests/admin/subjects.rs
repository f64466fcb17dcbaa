//! Limits that count by more than the caller, over the API.

use serde_json::{Value, json};

use crate::service::{Reply, Service};

fn of(user: &str) -> Value {
    json!({ "header:x-user": user, "address": "203.0.113.7" })
}

async fn check(service: &Service, tenant: &str, user: &str) -> Reply {
    let reply = service.call("POST", "/check", json!({ "tenant": tenant, "subjects": of(user) })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

/// Returns the names of the limits that refused.
fn refused(reply: &Reply) -> Vec<&str> {
    let limits = reply.body["limits"].as_array().unwrap().iter();
    limits.filter(|limit| limit["retry_ms"] != 0).map(|limit| limit["name"].as_str().unwrap()).collect()
}

/// Returns the remaining units of each limit.
fn remaining(reply: &Value) -> Vec<Value> {
    reply["limits"].as_array().unwrap().iter().map(|limit| limit["remaining"].clone()).collect()
}

#[tokio::test]
async fn a_check_counts_in_each_subject() {
    let service = Service::start().await;
    for tenant in ["acme", "bolt"] {
        service.tenant(tenant, "nested").await;
    }
    for (tenant, user, expected) in [
        ("acme", "ada", &[][..]),
        ("acme", "ada", &[]),
        ("acme", "ada", &[]),
        ("acme", "ada", &["user"]),
        ("acme", "bob", &[]),
        ("acme", "bob", &[]),
        ("acme", "bob", &["tenant"]),
        ("bolt", "ada", &[]),
        ("bolt", "ada", &[]),
        ("bolt", "ada", &[]),
        ("bolt", "ada", &["user", "all"]),
        ("bolt", "bob", &["all"]),
    ] {
        assert_eq!(refused(&check(&service, tenant, user).await), expected, "{tenant} {user}");
    }
}

#[tokio::test]
async fn usage_knows_the_values_that_it_is_given() {
    let service = Service::start().await;
    service.tenant("acme", "nested").await;
    for user in ["ada", "ada", "bob"] {
        assert_eq!(refused(&check(&service, "acme", user).await), [""; 0]);
    }
    let usage = service.call("GET", "/tenants/acme/usage", Value::Null).await;
    assert_eq!(
        usage.body["limits"],
        json!([
            { "name": "user", "algorithm": "fixed_window", "limit": 3, "by": "header:x-user" },
            { "name": "tenant", "algorithm": "fixed_window", "limit": 5, "used": 3, "remaining": 2, "reset_ms": 60_000 },
            { "name": "client", "algorithm": "sliding_log", "limit": 9, "by": "address" },
            { "name": "all", "algorithm": "fixed_window", "limit": 8, "by": "everyone", "used": 3, "remaining": 5,
              "reset_ms": 60_000 },
        ])
    );
    for (subjects, expected) in [
        (r#"{"header:x-user":"ada"}"#, json!([1, 2, null, 5])),
        (r#"{"header:X-User":"bob","address":"::ffff:203.0.113.7"}"#, json!([2, 2, 6, 5])),
        (r#"{"header:x-user":"eve","address":""}"#, json!([3, 2, 9, 5])),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(subjects.as_bytes()).collect();
        let usage = service.call("GET", &format!("/tenants/acme/usage?subjects={query}"), Value::Null).await;
        assert_eq!(Value::from(remaining(&usage.body)), expected, "{subjects}");
        assert_eq!(usage.body["today"]["units"], 3);
    }
}

#[tokio::test]
async fn a_refund_and_a_reset_name_their_subjects() {
    let service = Service::start().await;
    service.tenant("acme", "nested").await;
    for user in ["ada", "ada", "bob"] {
        check(&service, "acme", user).await;
    }
    let left = async |user: &str| {
        let peek = json!({ "tenant": "acme", "subjects": of(user), "cost": 0 });
        remaining(&service.call("POST", "/check", peek).await.body)
    };
    let refund = json!({ "units": 1, "request": "r1", "charged_at": "2026-11-23T12:00:00Z", "subjects": of("ada") });
    let reply = service.call("POST", "/tenants/acme/refund", refund.clone()).await;
    let units: Vec<_> = reply.body["limits"].as_array().unwrap().iter().map(|limit| limit["units"].clone()).collect();
    assert_eq!(units, [1, 1, 1, 1]);
    assert_eq!(service.call("POST", "/tenants/acme/refund", refund).await.body["refunded"], false);
    assert_eq!(
        (left("ada").await, left("bob").await),
        (vec![2.into(), 3.into(), 7.into(), 6.into()], vec![2.into(), 3.into(), 7.into(), 6.into()])
    );

    let missing = service.call("POST", "/tenants/acme/refund", json!({ "units": 1, "request": "r2" })).await;
    assert_eq!((missing.status, missing.paths()), (400, vec!["subjects.header:x-user", "subjects.address"]));

    // The tenant begins anew, and so does one user. Everyone, the other user and the address do not.
    let reset = json!({ "subjects": { "header:x-user": "ada" } });
    assert_eq!(service.call("POST", "/tenants/acme/reset", reset).await.status, 204);
    assert_eq!(left("ada").await, [3, 5, 7, 6]);
    assert_eq!(left("bob").await, [2, 5, 7, 6]);
}

#[tokio::test]
async fn wrong_subjects_are_named() {
    let service = Service::start().await;
    service.tenant("acme", "nested").await;
    service.tenant("flat", "free").await;
    for (tenant, subjects, paths) in [
        ("acme", json!({}), vec!["subjects.header:x-user", "subjects.address"]),
        ("acme", json!({ "header:x-user": "ada" }), vec!["subjects.address"]),
        (
            "acme",
            json!({ "address": "203.0.113.7/24", "header:x-user": 5 }),
            vec!["subjects.address", "subjects.header:x-user"],
        ),
        ("acme", json!({ "everyone": "x" }), vec!["subjects.everyone"]),
        ("flat", json!({ "country": "CH" }), vec!["subjects.country"]),
        ("flat", json!({ "user": "ada" }), vec!["subjects.user"]),
    ] {
        let reply = service.call("POST", "/check", json!({ "tenant": tenant, "subjects": subjects })).await;
        assert_eq!((reply.status, reply.paths()), (400, paths), "{subjects}");
    }
    let usage = service.call("GET", "/tenants/flat/usage?subjects=%5B%5D", Value::Null).await;
    assert_eq!((usage.status, usage.paths()), (400, vec!["subjects"]));
    let limits = json!([{ "name": "l", "algorithm": "fixed_window", "limit": 5, "window": "minute", "by": "path:id" }]);
    let reply = service.call("POST", "/check", json!({ "subject": "x", "limits": limits })).await;
    assert_eq!((reply.status, reply.paths()), (400, vec!["limits[0].by"]));
}

#[tokio::test]
async fn a_tenant_overrides_its_users_but_not_everyone() {
    let service = Service::start().await;
    let body = |limit: &str| json!({ "id": "acme", "plan": "nested", "overrides": { limit: { "limit": 1 } } });
    let reply = service.call("POST", "/tenants", body("all")).await;
    assert_eq!((reply.status, reply.paths()), (400, vec!["overrides.all"]));
    assert_eq!(service.call("POST", "/tenants", body("user")).await.status, 201);
    assert_eq!(refused(&check(&service, "acme", "ada").await), [""; 0]);
    assert_eq!(refused(&check(&service, "acme", "ada").await), ["user"]);
    assert_eq!(refused(&check(&service, "acme", "bob").await), [""; 0], "each user has the override");
}
