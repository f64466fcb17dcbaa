//! What every end-to-end test needs: a stack, a client, and access to the response.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A configuration with one plan of these limits, a long timeout and `on_outage = "closed"`: a slow machine must not
/// look like a limiter that admits too much. Redis decides about every request; `deny_cache` tests refusals from memory.
/// Without usage, no report for the overview is among the calls that a test counts.
pub(crate) fn limits(limits: &Value) -> Value {
    json!({
        "default_plan": "p",
        "timeout": "30s",
        "local_refusals": "0s",
        "usage": false,
        "on_outage": "closed",
        "plans": { "p": { "limits": limits } },
    })
}

/// A configuration with limits that no test can use up.
pub(crate) fn plenty() -> Value {
    limits(&json!([{ "name": "plenty", "algorithm": "token_bucket", "limit": 100_000, "window": "10s" }]))
}

/// Starts all parts with this configuration.
pub(crate) async fn stack(sluicegate: Value) -> Stack {
    Stack::start(Options { sluicegate: Some(sluicegate), ..Options::default() }).await.expect("the stack starts")
}

/// A client that follows no redirects. Tests share it because creating one takes longer than a request. It keeps no
/// idle connections, since a connection ends with the runtime of the test that opened it.
pub(crate) fn client() -> Client {
    static CLIENT: LazyLock<Client> =
        LazyLock::new(|| Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).build().unwrap());
    CLIENT.clone()
}

/// Sends a `GET` to the Worker.
pub(crate) fn get(stack: &Stack, path: &str) -> RequestBuilder {
    client().get(format!("{}{path}", stack.worker.url()))
}

/// Sends a `GET` as a client of this address. At the edge only Cloudflare can set this header; workerd accepts it from
/// everybody.
pub(crate) fn get_from(stack: &Stack, address: &str, path: &str) -> RequestBuilder {
    get(stack, path).header(ADDRESS, address)
}

/// Like [`get_from`], with an API key.
pub(crate) fn get_as(stack: &Stack, key: &str, path: &str) -> RequestBuilder {
    get(stack, path).bearer_auth(key)
}

/// Sends a request and returns the status.
pub(crate) async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// Sends raw bytes, since HTTP clients normalize requests. Returns the response, head and body.
pub(crate) async fn raw(stack: &Stack, method: &str, target: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(stack.worker.address()).await.unwrap();
    let host = stack.worker.address();
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Returns the value of a header, all its lines joined, or an empty string.
pub(crate) fn header(response: &Response, name: &str) -> String {
    let values = response.headers().get_all(name).into_iter();
    values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn body(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).expect("the body is JSON")
}

/// Sends a request, expects a problem with this status, and returns the last part of its type.
pub(crate) async fn problem(request: RequestBuilder, status: u16) -> String {
    let answer = request.send().await.unwrap();
    let (found, content_type) = (answer.status(), header(&answer, "content-type"));
    let text = answer.text().await.unwrap();
    assert_eq!((found.as_u16(), content_type.as_str()), (status, "application/problem+json"), "{text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    problem["type"].as_str().unwrap().rsplit([':', '#']).next().unwrap().to_owned()
}

/// Returns the values of a request header in the origin's echo.
pub(crate) fn echoed<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = echo["headers"].as_array().unwrap();
    headers.iter().filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap()).collect()
}

/// Waits until a condition holds, for at most half a minute.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Returns how many requests, or commands of one name, the bridge has served.
pub(crate) async fn bridge_count(stack: &Stack, metric: &str) -> u64 {
    let metrics = client().get(format!("{}/metrics", stack.bridge.url())).send().await.unwrap().text().await.unwrap();
    let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<u64>().ok());
    metrics.lines().filter(|line| line.contains(metric)).filter_map(value).sum()
}

/// Returns how many requests the Worker has sent to Redis.
pub(crate) async fn trips(stack: &Stack) -> u64 {
    bridge_count(stack, "http_requests_total").await
}

/// The header in which the edge passes the client's address.
pub(crate) const ADDRESS: &str = "cf-connecting-ip";

const PATIENCE: Duration = Duration::from_secs(30);
