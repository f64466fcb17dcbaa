//! What every end-to-end test needs: a stack, a client, and a look at the answer.

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};

/// A configuration with one plan of these limits. Patient, and closed: a slow machine must not look like a limiter
/// that admits too much.
pub(crate) fn limits(limits: &Value) -> Value {
    json!({ "default_plan": "p", "timeout": "30s", "on_outage": "closed", "plans": { "p": { "limits": limits } } })
}

/// A configuration that no test's requests can exhaust.
pub(crate) fn plenty() -> Value {
    limits(&json!([{ "name": "plenty", "algorithm": "token_bucket", "limit": 100_000, "window": "10s" }]))
}

/// All parts with this configuration.
pub(crate) async fn stack(sluicegate: Value) -> Stack {
    Stack::start(Options { sluicegate: Some(sluicegate), ..Options::default() }).await.expect("the stack starts")
}

/// A client that follows no redirects.
pub(crate) fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Asks the Worker.
pub(crate) fn get(stack: &Stack, path: &str) -> RequestBuilder {
    client().get(format!("{}{path}", stack.worker.url()))
}

/// The value of a header, all its lines joined; empty if there is none.
pub(crate) fn header(response: &Response, name: &str) -> String {
    let values = response.headers().get_all(name).into_iter();
    values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn body(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).expect("the body is JSON")
}

/// How many requests, or commands of one name, the bridge has served.
pub(crate) async fn bridge_count(stack: &Stack, metric: &str) -> u64 {
    let metrics = reqwest::get(format!("{}/metrics", stack.bridge.url())).await.unwrap().text().await.unwrap();
    let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<u64>().ok());
    metrics.lines().filter(|line| line.contains(metric)).filter_map(value).sum()
}
