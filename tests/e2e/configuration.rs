//! An invalid configuration: clients get 500, the log has the cause.

use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};
use std::time::Duration;

use crate::support::{body, get, header, plenty};

pub(crate) async fn expect_broken(sluicegate: Value, vars: &[(&str, &str)], reason: &str) {
    let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let stack = Stack::start(Options { sluicegate: Some(sluicegate), vars, ..Options::default() }).await.unwrap();
    let answer = get(&stack, "/hello").send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    let problem = body(answer).await;
    assert_eq!(problem["detail"], "the rate limiter's configuration is broken (the log of the Worker says why)");
    let health = get(&stack, "/_sluicegate/health").send().await.unwrap();
    assert_eq!(health.status(), 503);
    assert_eq!(body(health).await, json!({ "status": "failing", "part": "configuration" }));
    let line = stack.worker.log().wait_for(reason, Duration::from_secs(10)).await;
    assert!(line.is_some(), "no line of the log has {reason:?}:\n{}", stack.worker.log().text());
    assert_eq!(stack.origin.requests(), 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_field_is_named_in_the_log_only() {
    let mut config = plenty();
    config["plans"]["p"]["limits"][0]["colour"] = json!("red");
    // A line of the log is JSON, which escapes the quotes.
    expect_broken(config, &[], r#"plans.p.limits[0].colour: unknown field \"colour\""#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_may_be_a_string_and_an_origin_must_be_a_url() {
    let text = Value::String(plenty().to_string());
    expect_broken(text, &[("ORIGIN", "api.example.com")], r#"ORIGIN: expected \"https://host\", \"service:NAME\" or"#)
        .await;
}
