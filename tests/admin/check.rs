//! Rate limiting as a service, by `/check`.

use serde_json::{Value, json};

use crate::service::{NOON, Service};

fn limit(quota: u64) -> Value {
    json!({ "name": "l", "algorithm": "fixed_window", "limit": quota, "window": "minute" })
}

#[tokio::test]
async fn a_verdict_comes_as_json_and_as_headers() {
    let service = Service::start().await;
    let request = json!({ "subject": "job-runner", "limits": [limit(5)], "cost": 3 });
    let allowed = service.call("POST", "/check", request.clone()).await;
    assert_eq!(allowed.status, 200, "{allowed:?}");
    assert_eq!(
        allowed.body,
        json!({
            "allowed": true,
            "retry_ms": 0,
            "limits": [{ "name": "l", "remaining": 2, "retry_ms": 0, "reset_ms": 60_000 }],
            "at": NOON,
        })
    );
    assert_eq!(allowed.header("ratelimit-policy"), r#""l";q=5;w=60"#);
    assert_eq!(allowed.header("ratelimit"), r#""l";r=2;t=60"#);
    assert_eq!(allowed.header("retry-after"), "");

    let refused = service.call("POST", "/check", request).await;
    assert_eq!(
        (refused.status, &refused.body["allowed"], &refused.body["retry_ms"]),
        (200, &json!(false), &json!(60_000))
    );
    assert_eq!((refused.header("ratelimit"), refused.header("retry-after")), (r#""l";r=2;t=60"#, "60"));
    assert_eq!(refused.header("retry-after-ms"), "60000");

    let never =
        service.call("POST", "/check", json!({ "subject": "job-runner", "limits": [limit(5)], "cost": 6 })).await;
    assert_eq!((&never.body["retry_ms"], never.header("retry-after")), (&Value::Null, ""));
    assert_eq!(never.header("retry-after-ms"), "");
}

#[tokio::test]
async fn peek_charges_nothing() {
    let service = Service::start().await;
    for _ in 0..3 {
        for peek in [json!({ "peek": true, "cost": 4 }), json!({ "cost": 0 })] {
            let mut request = json!({ "subject": "x", "plan": "free" });
            request.as_object_mut().unwrap().extend(peek.as_object().unwrap().clone());
            let reply = service.call("POST", "/check", request).await;
            assert_eq!(reply.body["limits"][0]["remaining"], 10);
        }
    }
}

#[tokio::test]
async fn a_tenant_gets_its_plan_and_overrides() {
    let service = Service::start().await;
    let body = json!({ "id": "acme", "plan": "free", "overrides": { "minute": { "limit": 3 } } });
    assert_eq!(service.call("POST", "/tenants", body).await.status, 201);
    let reply = service.call("POST", "/check", json!({ "tenant": "acme" })).await;
    let names: Vec<_> = reply.body["limits"].as_array().unwrap().iter().map(|limit| limit["name"].clone()).collect();
    assert_eq!(names, ["minute", "day"], "the meters are not shown");
    assert!(!reply.header("ratelimit").contains('_'));
    assert_eq!(reply.body["limits"][0]["remaining"], 2);

    // Limits that the caller supplies also count for the tenant.
    let own = json!({ "tenant": "acme", "limits": [limit(2)], "cost": 2 });
    assert_eq!(service.call("POST", "/check", own.clone()).await.body["allowed"], true);
    assert_eq!(service.call("POST", "/check", own).await.body["allowed"], false);
    let usage = service.call("GET", "/tenants/acme/usage", Value::Null).await;
    assert_eq!(usage.body["today"]["units"], 3);

    let nobody = service.call("POST", "/check", json!({ "tenant": "nobody" })).await;
    assert_eq!((nobody.status, nobody.kind()), (404, "tenant-not-found"));
}

#[tokio::test]
async fn a_suspended_tenant_is_refused() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    service.call("PATCH", "/tenants/acme", json!({ "status": "suspended" })).await;
    let reply = service.call("POST", "/check", json!({ "tenant": "acme" })).await;
    assert_eq!((reply.status, reply.kind()), (403, "tenant-suspended"));
}

#[tokio::test]
async fn concurrency_needs_a_lease() {
    let service = Service::start().await;
    let without = service.call("POST", "/check", json!({ "subject": "x", "plan": "pro" })).await;
    assert_eq!((without.status, without.paths()), (400, vec!["lease"]));
    for (lease, allowed) in [("a", true), ("b", true), ("c", false), ("a", true)] {
        let reply = service.call("POST", "/check", json!({ "subject": "x", "plan": "pro", "lease": lease })).await;
        assert_eq!(reply.body["allowed"], allowed, "{lease}");
    }
}

#[tokio::test]
async fn no_check_touches_locks_and_values() {
    let mut service = Service::start().await;
    service.call("POST", "/locks/job/acquire", json!({ "owner": "a", "ttl_ms": 60_000 })).await;
    service.call("POST", "/values/v/swap", json!({ "expected": null, "new": "1" })).await;
    let before: Vec<String> = service.redis(&["KEYS", "*"]);
    for subject in ["lock:job", "value:v"] {
        let reply = service.call("POST", "/check", json!({ "subject": subject, "plan": "free" })).await;
        assert_eq!((reply.status, reply.paths()), (400, vec!["subject"]), "{subject}");
    }
    assert_eq!(service.redis::<Vec<String>>(&["KEYS", "*"]), before);
}
