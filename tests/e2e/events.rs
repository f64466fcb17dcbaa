//! The events of an isolate: refusals, requests that pass unjudged, and the circuit breaker.

use serde_json::{Value, json};
use sluicegate_devstack::{Fault, Stack};

use crate::api::{api, tenant_with_key};
use crate::support::{body, get_as, get_from, limits, stack, status, until};

fn configuration() -> Value {
    let mut config = limits(&json!([{ "name": "hour", "algorithm": "token_bucket", "limit": 2, "window": "1h" }]));
    config["identify"] = json!(["api_key", "address"]);
    config["local_refusals"] = json!("1m");
    config["timeout"] = json!("2s");
    config["routes"] = json!([
        { "match": "* /members/*", "require_key": true },
        { "match": "* /dim/*", "shadow": true },
        { "match": "* /open/*", "on_outage": "open" },
    ]);
    config
}

async fn events(stack: &Stack, after: u64) -> Value {
    let answer = api(stack, "GET", &format!("/events?after={after}"), &Value::Null).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    body(answer).await
}

/// Returns these members of each event.
fn members(found: &Value, names: &[&str]) -> Vec<Value> {
    let events = found["events"].as_array().unwrap().iter();
    events.map(|event| names.iter().map(|name| event[*name].clone()).collect()).collect()
}

/// Sends a request, and returns whether there is such an event after this number.
async fn request_brings(stack: &Stack, after: u64, event: &str) -> bool {
    status(get_from(stack, "203.0.113.8", "/open/x")).await;
    members(&events(stack, after).await, &["event"]).contains(&json!([event]))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_happens_in_the_isolate() {
    let stack = stack(configuration()).await;
    let key = tenant_with_key(&stack, "acme", "p").await;
    for expected in [200, 200, 429, 429] {
        assert_eq!(status(get_as(&stack, &key, "/x?secret=1")).await, expected);
    }
    assert_eq!(status(get_as(&stack, &key, "/dim/x")).await, 200);
    let wrong = format!("{}x", &key[..key.len() - 1]);
    assert_eq!(status(get_from(&stack, "203.0.113.7", "/members/x").bearer_auth(&wrong)).await, 401);

    let found = events(&stack, 0).await;
    let names = ["event", "status", "tenant", "limit", "by", "route"];
    assert_eq!(
        members(&found, &names),
        [
            json!(["refused", 429, "acme", "hour", "redis", null]),
            json!(["refused", 429, "acme", "hour", "memory", null]),
            json!(["passed", null, "acme", "hour", "memory", "* /dim/*"]),
            json!(["refused", 401, null, null, null, "* /members/*"]),
        ]
    );
    let retry = found["events"][0]["retry_ms"].as_u64().unwrap();
    assert!((1..=1_800_000).contains(&retry), "{retry}");
    assert_eq!(found["events"][3]["address"], "203.0.113.7", "as in the log");
    let text = found.to_string();
    for secret in [key.as_str(), &wrong, &key[key.len() / 2..], "secret=1"] {
        assert!(!text.contains(secret), "{text}");
    }

    let (isolate, next) = (found["isolate"].clone(), found["next"].as_u64().unwrap());
    assert_eq!((next, &found["dropped"]), (4, &json!(0)));
    let nothing = json!({ "isolate": isolate, "next": 4, "dropped": 0, "events": [] });
    assert_eq!(events(&stack, next).await, nothing);

    stack.network.inject(Fault::Refuse).await;
    until("the breaker opens", async || request_brings(&stack, next, "breaker_opened").await).await;
    stack.network.heal().await;
    until("the breaker closes", async || request_brings(&stack, next, "breaker_closed").await).await;
    let found = events(&stack, next).await;
    let kinds: Vec<Value> = members(&found, &["event", "subject", "route"]);
    assert_eq!(kinds[0], json!(["unjudged", "ip:203.0.113.8", "* /open/*"]));
    let opened = found["events"].as_array().unwrap().iter().find(|event| event["event"] == "breaker_opened").unwrap();
    assert!(
        opened["error"].as_str().unwrap().contains("unreachable") && opened["retry_ms"].as_u64().unwrap() > 0,
        "{opened}"
    );
    assert_eq!(found["isolate"], isolate);
    stack.stop().await;
}
