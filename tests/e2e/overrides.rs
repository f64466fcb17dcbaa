//! Overrides of single limits take effect at once and end on time.

use serde_json::json;
use sluicegate::time::{Millis, Timestamp};
use sluicegate_devstack::Stack;

use crate::api::{patch, tenant_with_key};
use crate::direct_redis::now;
use crate::support::{get_as, header, status};

pub(crate) async fn at_once(stack: &Stack) {
    let key = tenant_with_key(stack, "growing", "three").await;
    for expected in [200, 200, 200, 429] {
        assert_eq!(status(get_as(stack, &key, "/x")).await, expected);
    }
    patch(stack, "growing", json!({ "overrides": { "hour": { "limit": 5 } } })).await;
    let answer = get_as(stack, &key, "/x").send().await.unwrap();
    assert_eq!(header(&answer, "ratelimit-policy"), "\"hour\";q=5;w=3600");
    assert!(header(&answer, "ratelimit").starts_with("\"hour\";r=1;"), "what was used stays used");
    for expected in [200, 429] {
        assert_eq!(status(get_as(stack, &key, "/x")).await, expected);
    }
    patch(stack, "growing", json!({ "overrides": { "hour": { "limit": 4 } } })).await;
    assert_eq!(status(get_as(stack, &key, "/x")).await, 429);
    patch(stack, "growing", json!({ "overrides": null })).await;
    let answer = get_as(stack, &key, "/x").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit-policy").as_str()), (429, "\"hour\";q=3;w=3600"));
}

/// Requests continue while an override ends. Only those before its end use it.
pub(crate) async fn that_ends(stack: &Stack) {
    let key = tenant_with_key(stack, "guest", "three").await;
    let end = now().get() + 1500;
    let until = Timestamp::new(Millis::new(end)).to_string();
    patch(stack, "guest", json!({ "overrides": { "hour": { "limit": 1_000_000, "until": until } } })).await;
    let (mut during, mut after) = (0, 0);
    while after < 20 {
        let asked = now().get();
        let answer = get_as(stack, &key, "/x").send().await.unwrap();
        let answered = now().get();
        let status = answer.status().as_u16();
        match header(&answer, "ratelimit-policy").as_str() {
            "\"hour\";q=1000000;w=3600" => {
                assert!(asked < end, "{} ms too late", asked - end);
                assert_eq!(status, 200);
                during += 1;
            }
            "\"hour\";q=3;w=3600" => {
                assert!(answered >= end, "{} ms too early", end - answered);
                assert_eq!(status, 429, "what was used meanwhile stays used");
                after += 1;
            }
            other => panic!("{status} {other}"),
        }
    }
    assert!(during > 3, "{during}");
}
