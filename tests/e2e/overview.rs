//! The overview of all tenants: isolates report what they see, after the response.

use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::{api, create_tenant, tenant_with_key};
use crate::direct_redis::Inside;
use crate::support::{body, get, get_as, limits, stack, status, trips, until};

fn configuration() -> Value {
    let mut config = limits(&json!([{ "name": "month", "algorithm": "fixed_window", "limit": 10, "window": "month" }]));
    config["identify"] = json!(["api_key", "address"]);
    config["usage"] = json!(true);
    config["local_refusals"] = json!("1m");
    config
}

async fn overview(stack: &Stack) -> Value {
    let answer = api(stack, "GET", "/overview", &Value::Null).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    body(answer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn isolates_report_who_used_much_and_who_is_near_a_limit() {
    let config = configuration();
    let stack = stack(config.clone()).await;
    let inside = Inside::of(&stack, &config).await;
    create_tenant(&stack, "idle", "p").await;
    let [acme, bolt] = [tenant_with_key(&stack, "acme", "p").await, tenant_with_key(&stack, "bolt", "p").await];
    for (key, requests, expected) in [(&acme, 10, 200), (&acme, 3, 429), (&bolt, 2, 200)] {
        for _ in 0..requests {
            assert_eq!(status(get_as(&stack, key, "/x")).await, expected);
        }
    }
    assert_eq!(status(get(&stack, "/x")).await, 200, "a client address is no tenant");
    assert_eq!(inside.redis::<u64>(&["EXISTS", "sg:1:overview"]), 0, "no report delays a response");

    let top = |units: u64, tenant: &str, refused: u64| json!({ "tenant": tenant, "plan": "p", "status": "active", "units": units, "refused": refused });
    let expected = json!([top(10, "acme", 3), top(2, "bolt", 0)]);
    until("all is reported", async || overview(&stack).await["top"] == expected).await;
    let found = overview(&stack).await;
    let near = &found["near_limit"];
    assert_eq!((near.as_array().unwrap().len(), &near[0]["tenant"]), (1, &json!("acme")));
    let limit = &near[0]["limits"][0];
    assert_eq!((&limit["name"], &limit["used"], &limit["remaining"]), (&json!("month"), &json!(10), &json!(0)));
    assert!(found["reported_at"].is_string() && found["more"] == false, "{found}");
    assert!(inside.redis::<i64>(&["PTTL", "sg:1:overview"]) > 0, "every key expires");

    // A day's units and a refund show at once. Nothing is reported.
    let before = trips(&stack).await;
    overview(&stack).await;
    assert_eq!(trips(&stack).await - before, 2, "however many tenants there are");
    assert_eq!(status(get_as(&stack, &bolt, "/x")).await, 200);
    let refund = json!({ "units": 5, "request": "one" });
    assert_eq!(status(api(&stack, "POST", "/tenants/acme/refund", &refund)).await, 200);
    let found = overview(&stack).await;
    assert_eq!((&found["top"], &found["near_limit"]), (&json!([top(5, "acme", 3), top(3, "bolt", 0)]), &json!([])));

    assert_eq!(status(api(&stack, "DELETE", "/tenants/acme", &Value::Null)).await, 204);
    assert_eq!(overview(&stack).await["top"], json!([top(3, "bolt", 0)]));
    stack.stop().await;
}
