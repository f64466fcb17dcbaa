//! An invalid configuration: clients get 500, the log has the cause.

use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};
use std::time::Duration;

use crate::bare::Bare;
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

fn module(name: &str, text: &str) -> String {
    format!("export default {};", json!({ "name": name, "text": text }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_may_be_a_file_that_was_bundled() {
    // Far above the 5 kB of a variable.
    let mut config = plenty();
    let route = |i: usize| json!({ "match": format!("GET /v1/resource-{i}/:id"), "cost": i + 1 });
    config["routes"] = (0..500).map(route).collect();
    let text = config.to_string();
    assert!(text.len() > 15_000);
    let bare = Bare::start_bundled("sluicegate.toml", &module("sluicegate.toml", &text)).await;
    let head = bare.head("/v1/resource-499/x").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("\"plenty\";r=99500;"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_not_bundled_is_named_in_the_log() {
    for (module, reason) in [
        ("export default null;".to_owned(), "but the Worker was built without a file (run `make deploy`)"),
        (module("b.toml", "{}"), "but the Worker was built with \\\"b.toml\\\" (run `make deploy`)"),
        (module("a.toml", "{}"), "SLUICEGATE: missing field `default_plan`"),
    ] {
        let bare = Bare::start_bundled("a.toml", &module).await;
        let head = bare.head("/hello").await;
        assert!(head.starts_with("http/1.1 500"), "{head}");
        assert!(bare.log().contains(reason), "{reason}: {}", bare.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_are_an_error_that_names_both() {
    let vars = [("SLUICEGATE_FILE", "sluicegate.toml")];
    expect_broken(plenty(), &vars, "SLUICEGATE_FILE: is set together with SLUICEGATE").await;
}
