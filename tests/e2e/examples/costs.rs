//! Examples about what a request really costs.

use sluicegate_devstack::{Origin, Stack};

use super::Example;
use crate::api::tenant_with_key;
use crate::real_costs::{JSON, STREAM, fixture};
use crate::support::{client, get_as, header, status, until};

#[tokio::test(flavor = "multi_thread")]
async fn llm_apis() {
    let anthropic = Origin::start(0).await.unwrap();
    let stack = Example::read("llm")
        .replace("limit = 60,", "limit = 6000,")
        // A lease ends a moment after its response.
        .replace("limit = 10, lease", "limit = 1000, lease")
        .replace("POST /v1/chat/completions", "POST /served/chat")
        .replace("POST /anthropic/v1/messages", "POST /anthropic/served/messages")
        .replace("https://api.anthropic.com", &anthropic.url())
        .secret("ORIGIN_OPENAI", "a-secret")
        .secret("ORIGIN_ANTHROPIC", "another-secret")
        .start()
        .await;
    stack.origin.serve("chat", STREAM, fixture("openai-stream-with-usage.sse"));
    anthropic.serve("messages", JSON, fixture("anthropic-message.json"));
    let key = tenant_with_key(&stack, "acme", "customer").await;
    for (path, limit, reserved) in
        [("/served/chat", "tokens", 99_300), ("/anthropic/served/messages", "output", 79_300)]
    {
        assert_eq!(left(&stack, &key, path, limit).await, reserved, "{path}");
        // Otherwise each one finds 700 less than the one before.
        let mut before = reserved;
        until(&format!("{path} is settled"), async || {
            let found = left(&stack, &key, path, limit).await;
            let is_settled = found + 700 > before;
            before = found;
            is_settled
        })
        .await;
    }
    assert_eq!(status(get_as(&stack, &key, "/v1/files")).await, 403);
    stack.stop().await;
}

/// Sends a request for a stream, and returns what is left of a limit after it has reserved 700 units.
async fn left(stack: &Stack, key: &str, path: &str, limit: &str) -> u64 {
    let request = client().post(format!("{}{path}", stack.worker.url())).bearer_auth(key);
    let answer = request.body(r#"{"stream":true,"max_tokens":700}"#).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let limits = header(&answer, "ratelimit");
    answer.bytes().await.unwrap();
    let left = limits.split_once(&format!("\"{limit}\";r=")).unwrap_or_else(|| panic!("{limits}")).1;
    left.split(';').next().unwrap().parse().unwrap()
}
