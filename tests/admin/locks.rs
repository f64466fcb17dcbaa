//! Locks and the values that they fence.

use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn one_owner_at_a_time() {
    let service = Service::start().await;
    let a = json!({ "owner": "a", "ttl_ms": 60_000 });
    let first = service.call("POST", "/locks/job/acquire", a.clone()).await;
    assert_eq!((first.status, first.body), (200, json!({ "token": 1, "ttl_ms": 60_000 })));
    let other = service.call("POST", "/locks/job/acquire", json!({ "owner": "b", "ttl_ms": 60_000 })).await;
    assert_eq!((other.status, other.kind()), (409, "lock-held"));
    assert!((1..=60_000).contains(&other.body["retry-after-ms"].as_u64().unwrap()));

    let again = service.call("POST", "/locks/job/acquire", a).await;
    assert_eq!(again.body["token"], 2, "the holder may acquire again, and gets a newer token");
    let stale = service.call("POST", "/locks/job/renew", json!({ "owner": "a", "token": 1, "ttl_ms": 5000 })).await;
    assert_eq!((stale.status, stale.kind()), (409, "lock-lost"));
    let renewed = service.call("POST", "/locks/job/renew", json!({ "owner": "a", "token": 2, "ttl_ms": 5000 })).await;
    assert_eq!((renewed.status, renewed.body), (200, json!({ "token": 2, "ttl_ms": 5000 })));

    let release = json!({ "owner": "a", "token": 2 });
    assert_eq!(service.call("POST", "/locks/job/release", release.clone()).await.status, 204);
    let twice = service.call("POST", "/locks/job/release", release).await;
    assert_eq!((twice.status, twice.kind()), (409, "lock-lost"));
    let free = service.call("POST", "/locks/job/acquire", json!({ "owner": "b", "ttl_ms": 10 })).await;
    assert_eq!(free.body["token"], 3);
}

#[tokio::test]
async fn fencing_refuses_a_late_write() {
    let mut service = Service::start().await;
    service.call("POST", "/locks/job/acquire", json!({ "owner": "a", "ttl_ms": 60_000 })).await;
    let path = "/locks/job/values/page";
    assert_eq!(service.call("GET", path, Value::Null).await.body, json!({ "value": null }));
    let written = service.call("PUT", path, json!({ "token": 1, "value": "by a" })).await;
    assert_eq!((written.status, written.body), (200, json!({ "token": 1 })));

    service.call("POST", "/locks/job/release", json!({ "owner": "a", "token": 1 })).await;
    service.call("POST", "/locks/job/acquire", json!({ "owner": "b", "ttl_ms": 60_000 })).await;
    let late = service.call("PUT", path, json!({ "token": 1, "value": "late" })).await;
    assert_eq!((late.status, late.kind(), &late.body["newest"]), (409, "stale-token", &json!(2)));
    assert_eq!(service.call("GET", path, Value::Null).await.body, json!({ "value": "by a" }));

    let short = service.call("PUT", path, json!({ "token": 2, "value": "by b", "ttl_ms": 60_000 })).await;
    assert_eq!(short.status, 200);
    let ttl: i64 = service.redis(&["PTTL", "sg:1:{lock:job}:value:page"]);
    assert!((1..=60_000).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn wrong_input_is_named() {
    let service = Service::start().await;
    let too_long = "x".repeat(4097);
    for (method, path, body, paths) in [
        ("POST", "/locks/job/acquire", json!({}), vec!["owner", "ttl_ms"]),
        ("POST", "/locks/usage%3Ahistory/acquire", json!({ "owner": "a", "ttl_ms": 9 }), vec!["name", "ttl_ms"]),
        (
            "POST",
            "/locks/job/acquire",
            json!({ "owner": "a b", "ttl_ms": 366 * 86_400_000_u64 + 1 }),
            vec!["owner", "ttl_ms"],
        ),
        ("POST", "/locks/job/renew", json!({ "owner": "a", "token": 0, "ttl_ms": "1s" }), vec!["token", "ttl_ms"]),
        ("POST", "/locks/job/release", json!({ "owner": "a", "token": 1, "ttl_ms": 10 }), vec!["ttl_ms"]),
        (
            "PUT",
            "/locks/job/values/a%20b",
            json!({ "token": 1, "value": too_long, "ttl_ms": null }),
            vec!["value", "value", "ttl_ms"],
        ),
    ] {
        let reply = service.call(method, path, body.clone()).await;
        assert_eq!((reply.status, reply.paths()), (400, paths), "{method} {path} {body}");
    }
}
