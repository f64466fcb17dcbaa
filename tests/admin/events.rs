//! The events of the isolate that answers.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use sluicegate::config::routes::{Pattern, Route};
use sluicegate::gateway::EventKind;
use sluicegate::time::Millis;

use crate::service::{NOON, Service};

/// Records refusals of a tenant.
fn refuse(service: &Service, times: u64) {
    for i in 0..times {
        service.events.borrow_mut().record(EventKind::Refused, Millis::new(NOON + i), |event| {
            (event.status, event.problem) = (Some(429), "quota-exceeded");
            event.subject.push_str("acme");
            event.is_tenant = true;
            event.route = Some(Arc::new(Route::new(Pattern::new("GET /x/*").unwrap())));
            event.limit.push_str("burst");
            event.by = "redis";
            event.cost = Some(1);
            event.retry = Some(Millis::new(250));
        });
    }
}

async fn events(service: &Service, query: &str) -> Value {
    let reply = service.call("GET", &format!("/events{query}"), Value::Null).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Returns the numbers of the events.
fn numbers(body: &Value) -> Vec<u64> {
    body["events"].as_array().unwrap().iter().map(|event| event["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_poll_continues_where_the_last_one_ended() {
    let service = Service::start().await;
    let empty = json!({ "isolate": "0000000000000007", "next": 0, "dropped": 0, "events": [] });
    assert_eq!(events(&service, "").await, empty);
    refuse(&service, 2);
    let found = events(&service, "?after=0").await;
    assert_eq!((&found["next"], &found["dropped"], numbers(&found)), (&json!(2), &json!(0), vec![1, 2]));
    assert_eq!(
        found["events"][1],
        json!({
            "number": 2, "at": "2026-11-23T12:00:00.001Z", "event": "refused", "status": 429, "problem": "quota-exceeded",
            "tenant": "acme", "subject": "acme", "route": "GET /x/*", "limit": "burst", "by": "redis", "cost": 1,
            "retry_ms": 250,
        })
    );
    assert_eq!(numbers(&events(&service, "?after=1").await), [2]);
    assert_eq!(numbers(&events(&service, "?after=2").await), Vec::<u64>::new());
    assert_eq!(numbers(&events(&service, "?after=3").await), [1, 2], "the number is of another isolate");
}

#[tokio::test]
async fn a_flood_leaves_the_last_events() {
    let service = Service::start().await;
    refuse(&service, 1000);
    let found = events(&service, "?after=10").await;
    assert_eq!((&found["next"], &found["dropped"]), (&json!(1000), &json!(734)));
    assert_eq!(numbers(&found), (745..=1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn members_that_do_not_apply_are_missing() {
    let service = Service::start().await;
    let at = Millis::new(NOON);
    service.events.borrow_mut().record(EventKind::BreakerOpened, at, |event| {
        event.retry = Some(Millis::from_secs(1));
        event.error.push_str("redis is unreachable");
    });
    service.events.borrow_mut().record(EventKind::Refused, at, |event| {
        (event.status, event.problem) = (Some(401), "key-required");
        event.address = Some(IpAddr::from([203, 0, 113, 7]));
    });
    let found = events(&service, "").await;
    let time = "2026-11-23T12:00:00Z";
    assert_eq!(
        found["events"],
        json!([
            { "number": 1, "at": time, "event": "breaker_opened", "retry_ms": 1000, "error": "redis is unreachable" },
            { "number": 2, "at": time, "event": "refused", "status": 401, "problem": "key-required", "address": "203.0.113.7" },
        ])
    );
}

#[tokio::test]
async fn the_number_is_checked() {
    let service = Service::start().await;
    for query in
        ["?after=", "?after=-1", "?after=x", "?after=%2B1", "?after=9007199254740992", "?after=1&after=2", "?before=1"]
    {
        let reply = service.call("GET", &format!("/events{query}"), Value::Null).await;
        assert_eq!((reply.status, reply.kind()), (400, "invalid-request"), "{query}");
    }
}
