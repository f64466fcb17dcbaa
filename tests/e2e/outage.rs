//! Redis is down, slow or rejects the token: the configured policy applies, and the log says so.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_devstack::{Fault, Options, Stack};

use crate::support::{body, get, header, limits, stack};

fn policy(on_outage: &str) -> Value {
    let mut config = limits(&json!([{ "name": "hour", "algorithm": "sliding_log", "limit": 2, "window": "1h" }]));
    config["on_outage"] = json!(on_outage);
    config["timeout"] = json!("300ms");
    config
}

async fn expect_forwarded_unjudged(stack: &Stack) {
    let reached = stack.origin.requests();
    let answer = get(stack, "/hello").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "ratelimit"), "", "no budget is known");
    assert!(header(&answer, "server-timing").ends_with("desc=\"unjudged\""), "{}", header(&answer, "server-timing"));
    assert_eq!(stack.origin.requests() - reached, 1);
}

async fn expect_refused_unjudged(stack: &Stack) {
    let reached = stack.origin.requests();
    let answer = get(stack, "/hello").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(header(&answer, "retry-after"), "5");
    assert_eq!(header(&answer, "ratelimit"), "");
    let problem = body(answer).await;
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity");
    assert_eq!(stack.origin.requests(), reached);
}

async fn expect_judged(stack: &Stack, status: u16) {
    let answer = get(stack, "/hello").send().await.unwrap();
    assert_eq!(answer.status(), status);
    assert!(header(&answer, "ratelimit").starts_with("\"hour\""), "{}", header(&answer, "ratelimit"));
}

/// Expects that the health names this failing part, or none. The Worker pings Redis at most once a second, so the health
/// lags behind.
async fn expect_health(stack: &Stack, failing: Option<&str>) {
    let (status, text) = failing.map_or((200, "ok"), |_| (503, "failing"));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let answer = get(stack, "/_sluicegate/health").send().await.unwrap();
        let (found, body) = (answer.status().as_u16(), body(answer).await);
        if (found, &body["status"], &body["part"]) == (status, &json!(text), &json!(failing)) {
            let known = if failing.is_none() { &["closed"][..] } else { &["closed", "open", "probing"] };
            assert!(known.contains(&body["breaker"].as_str().unwrap()), "{body}");
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found} {body}");
    }
}

async fn expect_logged(stack: &Stack, text: &str) {
    let line = stack.worker.log().wait_for(text, Duration::from_secs(10)).await;
    assert!(line.is_some(), "no line of the log has {text:?}:\n{}", stack.worker.log().text());
}

#[tokio::test(flavor = "multi_thread")]
async fn open_forwards_and_marks_the_response() {
    let mut stack = stack(policy("open")).await;
    expect_judged(&stack, 200).await;
    expect_health(&stack, None).await;

    stack.redis.stop().await;
    expect_forwarded_unjudged(&stack).await;
    expect_logged(&stack, "(on_outage = open)").await;
    expect_health(&stack, Some("redis")).await;

    stack.redis.restart().await.unwrap();
    expect_health(&stack, None).await;
    expect_judged(&stack, 200).await;

    stack.bridge.stop().await;
    expect_forwarded_unjudged(&stack).await;
    stack.bridge.restart().await.unwrap();
    expect_judged(&stack, 200).await;

    // Replies arrive too late: the charge happened, and no verdict is made up.
    stack.network.inject(Fault::HoldResponses).await;
    expect_forwarded_unjudged(&stack).await;
    expect_logged(&stack, "did not answer in time").await;
    stack.network.heal().await;
    expect_judged(&stack, 429).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_refuses_with_503() {
    let mut stack = stack(policy("closed")).await;
    expect_judged(&stack, 200).await;
    stack.redis.stop().await;
    expect_refused_unjudged(&stack).await;
    expect_logged(&stack, "(on_outage = closed)").await;
    stack.bridge.stop().await;
    expect_refused_unjudged(&stack).await;
    stack.redis.restart().await.unwrap();
    stack.bridge.restart().await.unwrap();
    stack.network.inject(Fault::HoldResponses).await;
    expect_refused_unjudged(&stack).await;
    stack.network.heal().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_a_logged_outage() {
    let vars = vec![("UPSTASH_REDIS_REST_TOKEN".to_owned(), "hunter2".to_owned())];
    let options = Options { sluicegate: Some(policy("closed")), vars, ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    expect_refused_unjudged(&stack).await;
    expect_logged(&stack, "redis refused the token (UPSTASH_REDIS_REST_TOKEN)").await;
    expect_health(&stack, Some("redis")).await;
    assert!(!stack.worker.log().text().contains("hunter2"));
    stack.stop().await;
}
