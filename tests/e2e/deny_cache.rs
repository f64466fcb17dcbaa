//! A refusal is repeated without asking Redis: it looks the same, and units given back here end it.

use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::{api, tenant_with_key};
use crate::log;
use crate::support::{body, get, get_as, header, limits, stack, status, trips, until};

/// Two requests an hour, and refusals that are remembered as long as possible.
fn two_an_hour() -> Value {
    let mut config = limits(&json!([
        { "name": "hour", "algorithm": "sliding_log", "limit": 2, "window": "1h" },
        { "name": "day", "algorithm": "token_bucket", "limit": 86_400, "window": "1d" },
    ]));
    config["identify"] = json!(["api_key", "address"]);
    config["local_refusals"] = json!("1m");
    config["log_refused"] = json!("each");
    config["routes"] = json!([
        { "match": "* /dim/*", "shadow": true },
        { "match": "* /dear/*", "cost": 2 },
    ]);
    config
}

/// Returns what a refusal says: body, policy, and the seconds of `Retry-After`.
async fn refusal(stack: &Stack, path: &str) -> (Value, String, u64) {
    let answer = get(stack, path).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let (policy, retry) = (header(&answer, "ratelimit-policy"), header(&answer, "retry-after").parse().unwrap());
    let limit = header(&answer, "ratelimit");
    assert!(limit.starts_with(&format!("\"hour\";r=0;t={retry}, \"day\";r=8639")), "{limit} {retry}");
    (body(answer).await, policy, retry)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_refusal_costs_no_call() {
    let stack = stack(two_an_hour()).await;
    for _ in 0..2 {
        assert_eq!(status(get(&stack, "/x")).await, 200);
    }
    let (first, policy, retry) = refusal(&stack, "/x").await;
    let (before, reached) = (trips(&stack).await, stack.origin.requests());
    for path in ["/x", "/y", "/dear/x"] {
        let (mut again, same_policy, sooner) = refusal(&stack, path).await;
        assert_eq!(same_policy, policy);
        assert!(sooner <= retry && retry - sooner < 60, "{sooner} after {retry}");
        let (sooner, later) = (&again["retry-after-ms"], &first["retry-after-ms"]);
        assert!(sooner.as_u64().unwrap() <= later.as_u64().unwrap(), "{sooner} after {later}");
        // Both tell the time.
        for field in ["retry-after-ms", "detail"] {
            again[field] = first[field].clone();
        }
        assert_eq!(again, first);
    }
    let shadow = get(&stack, "/dim/x").send().await.unwrap();
    assert_eq!(shadow.status(), 200);
    assert!(header(&shadow, "server-timing").contains("desc=\"shadow\""), "{}", header(&shadow, "server-timing"));
    let timing = header(&get(&stack, "/x").send().await.unwrap(), "server-timing");
    // Here the clock also runs between calls, so this may be a millisecond or two; at the edge it is 0.
    assert!(timing.ends_with(";desc=\"refused\""), "{timing}");
    assert_eq!((trips(&stack).await, stack.origin.requests()), (before, reached + 1));
    let sources = || log::of_path(&stack, "/x").iter().map(|line| line["by"].clone()).collect::<Vec<_>>();
    until("three lines", async || sources() == ["redis", "memory", "memory"]).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_api_repeats_refusals_too() {
    let stack = stack(two_an_hour()).await;
    let check = |cost: u64| {
        let request = api(&stack, "POST", "/check", &json!({ "subject": "s", "plan": "p", "cost": cost }));
        async { body(request.send().await.unwrap()).await }
    };
    assert_eq!(check(2).await["allowed"], true);
    let first = check(1).await;
    let before = trips(&stack).await;
    let again = check(1).await;
    assert_eq!((&again["allowed"], &again["limits"][0]["name"]), (&json!(false), &json!("hour")));
    assert_eq!(again["limits"][0]["remaining"], 0);
    let passed = again["at"].as_u64().unwrap() - first["at"].as_u64().unwrap();
    assert_eq!(again["retry_ms"].as_u64().unwrap() + passed, first["retry_ms"].as_u64().unwrap());
    assert_eq!(trips(&stack).await, before);
    check(0).await;
    assert_eq!(trips(&stack).await, before + 1, "the budgets come from Redis");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_given_back_here_are_seen_at_once() {
    let stack = stack(two_an_hour()).await;
    let key = tenant_with_key(&stack, "acme", "p").await;
    let exhaust = async || {
        while status(get_as(&stack, &key, "/x")).await == 200 {}
        let before = trips(&stack).await;
        assert_eq!(status(get_as(&stack, &key, "/x")).await, 429);
        assert_eq!(trips(&stack).await, before, "it is remembered");
    };
    exhaust().await;
    let refund = json!({ "units": 1, "request": "one" });
    assert_eq!(status(api(&stack, "POST", "/tenants/acme/refund", &refund)).await, 200);
    assert_eq!(status(get_as(&stack, &key, "/x")).await, 200, "after a refund");
    exhaust().await;
    assert_eq!(status(api(&stack, "POST", "/tenants/acme/reset", &Value::Null)).await, 204);
    assert_eq!(status(get_as(&stack, &key, "/x")).await, 200, "after a reset");
    exhaust().await;
    let more = json!({ "overrides": { "hour": { "limit": 3 } } });
    crate::api::patch(&stack, "acme", more).await;
    assert_eq!(status(get_as(&stack, &key, "/x")).await, 200, "after a change of the limits");
    stack.stop().await;
}
