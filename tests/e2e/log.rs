//! The Worker's log: lines of JSON.

use std::time::Duration;

use serde_json::Value;
use sluicegate_devstack::Stack;

/// Returns all lines of JSON so far.
pub(crate) fn lines(stack: &Stack) -> Vec<Value> {
    stack.worker.log().lines().iter().filter_map(|line| json(&line.text)).collect()
}

/// Returns the object in a line; wrangler prefixes errors.
pub(crate) fn json(line: &str) -> Option<Value> {
    serde_json::from_str(&line[line.find('{')?..]).ok()
}

/// Returns all lines so far about requests for this path.
pub(crate) fn of_path(stack: &Stack, path: &str) -> Vec<Value> {
    lines(stack).into_iter().filter(|line| line["path"] == path).collect()
}

/// Waits for a line of JSON that contains this text.
pub(crate) async fn wait_for(stack: &Stack, text: &str) -> Value {
    let line = stack.worker.log().wait_for(text, PATIENCE).await;
    let line = line.unwrap_or_else(|| panic!("no line of the log has {text:?}:\n{}", stack.worker.log().text()));
    json(&line.text).unwrap_or_else(|| panic!("not JSON: {}", line.text))
}

/// Fails if the log contains a token or one of these secrets.
pub(crate) fn expect_no_secrets(stack: &Stack, secrets: &[&str]) {
    let text = stack.worker.log().text();
    let own = [stack.secrets.rest_token.as_str(), stack.secrets.admin_token.as_str()];
    for secret in own.iter().chain(secrets) {
        assert!(secret.len() > 8, "{secret}");
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "a secret is logged: {line:?}");
        // A part of a key is a leak, too.
        let half = &secret[secret.len() / 2..];
        assert!(!text.contains(half), "half a secret is logged: {half}");
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
