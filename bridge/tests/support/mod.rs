//! A running bridge for tests, and requests to it.

#![allow(dead_code, reason = "each test uses only some of it")]
#![expect(clippy::expect_used, reason = "a test that cannot set up its parts has failed")]

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use sluicegate_bridge::{Backend, Bridge, RedisServer};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

pub(crate) const TOKEN: &str = "test-token";

/// A bridge that serves until the value is dropped.
pub(crate) struct TestBridge {
    pub(crate) url: String,
    client: Client,
    server: JoinHandle<()>,
    /// Dropping the sender stops the bridge.
    _stop: oneshot::Sender<()>,
}

/// Starts a bridge with its own Redis.
pub(crate) async fn start() -> (TestBridge, RedisServer) {
    let redis = RedisServer::start().await.expect("redis-server starts");
    (TestBridge::start(&redis.url()).await, redis)
}

impl TestBridge {
    pub(crate) async fn start(redis_url: &str) -> Self {
        Self::over(Backend::Redis(redis_url.to_owned())).await
    }

    pub(crate) async fn over(backend: Backend) -> Self {
        let bridge = Bridge::bind(([127, 0, 0, 1], 0).into(), TOKEN, backend).await.expect("the bridge starts");
        let url = format!("http://{}", bridge.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let serve = bridge.run(async { drop(stopped.await) });
            serve.await.expect("the bridge serves");
        });
        Self { url, client: Client::new(), server, _stop: stop }
    }

    /// Returns a request without the token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(TOKEN)
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        read(self.request(Method::POST, path).body(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path)).await
    }

    /// Runs a command that succeeds and returns its result.
    pub(crate) async fn run(&self, command: Value) -> Value {
        let (status, mut body) = self.post("/", command.to_string()).await;
        assert_eq!(status, 200, "{command}: {body}");
        body.get_mut("result").expect("a result").take()
    }

    /// Runs a command that fails with 400 and returns the text of its error.
    pub(crate) async fn fail(&self, command: Value) -> String {
        let (status, body) = self.post("/", command.to_string()).await;
        assert_eq!(status, 400, "{command}: {body}");
        error(&body)
    }

    /// Returns the value of a counter, or 0 if it is missing.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let response = self.bare(Method::GET, "/metrics").send().await;
        let text = response.expect("a response").text().await.expect("a body");
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().expect("a number"))
    }

    /// Waits until a command gets this status.
    pub(crate) async fn until(&self, status: u16) {
        for _ in 0..500 {
            if self.post("/", r#"["PING"]"#).await.0 == status {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        unreachable!("the bridge did not respond with {status} in time");
    }
}

impl Drop for TestBridge {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Sends a request and returns the status and the JSON body of the response.
pub(crate) async fn read(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("a response");
    let status = response.status();
    let body = response.bytes().await.expect("a body");
    let json = serde_json::from_slice(&body).expect("JSON");
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{json}");
    (status.as_u16(), json)
}

/// Returns the text of an error body, which has no other member.
pub(crate) fn error(body: &Value) -> String {
    let object = body.as_object().expect("an object");
    assert_eq!(object.len(), 1, "{body}");
    body["error"].as_str().expect("an error text").to_owned()
}
