//! Who decides while Redis is unavailable: a remembered refusal, then `on_outage` of the route, then `LAST_RESORT`.

use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};

use crate::support::{get_from, header, limits, problem, status};

fn configuration() -> Value {
    let mut config = limits(&json!([{ "name": "hour", "algorithm": "sliding_log", "limit": 8, "window": "1h" }]));
    config["local_refusals"] = json!("1m");
    config["routes"] = json!([
        { "match": "* /open", "on_outage": "open" },
        { "match": "* /local", "on_outage": "local" },
    ]);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_refusal_precedes_the_policy_and_that_the_last_resort() {
    // Two requests per client and minute.
    let last_resort =
        json!([{ "name": "LAST_RESORT", "namespace_id": "1002", "simple": { "limit": 2, "period": 60 } }]);
    let configuration = vec![("ratelimits".to_owned(), last_resort)];
    let options = Options { sluicegate: Some(self::configuration()), configuration, ..Options::default() };
    let mut stack = Stack::start(options).await.unwrap();
    let (refused, other) = ("192.0.2.1", "192.0.2.2");
    for _ in 0..8 {
        assert_eq!(status(get_from(&stack, refused, "/open")).await, 200);
    }
    assert_eq!(status(get_from(&stack, refused, "/open")).await, 429);
    stack.redis.stop().await;

    for path in ["/open", "/closed", "/local"] {
        let name = problem(get_from(&stack, refused, path), 429).await;
        assert_eq!(name, "quota-exceeded", "{path}: a remembered refusal");
    }
    let unjudged = get_from(&stack, other, "/open").send().await.unwrap();
    assert!(header(&unjudged, "server-timing").ends_with("desc=\"unjudged\""), "{unjudged:?}");
    assert_eq!(unjudged.status(), 200);
    assert_eq!(status(get_from(&stack, other, "/closed")).await, 503);
    let mut allowed = 0;
    while status(get_from(&stack, other, "/local")).await == 200 {
        allowed += 1;
    }
    // Twice the binding's limit if its minute ends meanwhile. The isolate's own limit would allow eight.
    assert!((2..=4).contains(&allowed), "{allowed}");
    assert_eq!(problem(get_from(&stack, other, "/local"), 429).await, "too-many-requests");
    stack.stop().await;
}
