//! Values that change by compare-and-swap.

use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn a_value_changes_only_from_the_expected_one() {
    let mut service = Service::start().await;
    let path = "/values/flag/swap";
    for (expected, new, status) in [
        (Value::Null, Value::Null, 200),
        (json!("x"), json!("y"), 409),
        (json!("x"), Value::Null, 409),
        (Value::Null, json!("on"), 200),
        (Value::Null, json!("on"), 409),
        (Value::Null, Value::Null, 409),
        (json!("on"), json!("öff\0"), 200),
        (json!("öff\0"), json!(""), 200),
        (json!(""), Value::Null, 200),
    ] {
        let before = service.call("GET", "/values/flag", Value::Null).await.body["value"].clone();
        let reply = service.call("POST", path, json!({ "expected": expected, "new": new })).await;
        assert_eq!(reply.status, status, "{expected} to {new}: {reply:?}");
        let after = service.call("GET", "/values/flag", Value::Null).await.body["value"].clone();
        if status == 200 {
            assert_eq!((reply.body, after), (json!({ "swapped": true }), new));
        } else {
            assert_eq!((reply.kind(), &reply.body["found"]), ("value-conflict", &before));
            assert_eq!(after, before);
        }
    }
    service.call("POST", path, json!({ "expected": null, "new": "1", "ttl_ms": 60_000 })).await;
    assert!((1..=60_000).contains(&service.redis::<i64>(&["PTTL", "sg:1:{value:flag}"])));
    service.call("POST", path, json!({ "expected": "1", "new": "2" })).await;
    assert_eq!(service.redis::<i64>(&["PTTL", "sg:1:{value:flag}"]), -1);
}

#[tokio::test]
async fn wrong_input_is_named() {
    let service = Service::start().await;
    for (path, body, paths) in [
        ("/values/flag/swap", json!({}), vec!["expected", "new"]),
        ("/values/a:b/swap", json!({ "expected": 1, "new": "x".repeat(4097) }), vec!["name", "expected", "new"]),
        ("/values/flag/swap", json!({ "expected": "a", "new": null, "ttl_ms": 5 }), vec!["ttl_ms"]),
        ("/values/flag/swap", json!({ "expected": "a", "new": "b", "ttl_ms": 0 }), vec!["ttl_ms"]),
    ] {
        let reply = service.call("POST", path, body.clone()).await;
        assert_eq!((reply.status, reply.paths()), (400, paths), "{path} {body}");
    }
    let longest = service.call("POST", "/values/flag/swap", json!({ "expected": null, "new": "é".repeat(4096) })).await;
    assert_eq!(longest.status, 200);
}
