//! A bridge that has served requests of every kind, also while Redis failed.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;
use tokio::process::Command;
use tokio::time::timeout;

/// A running bridge whose Redis has ended.
pub(crate) struct ScrapedBridge {
    bridge: BridgeServer,
}

impl ScrapedBridge {
    /// Starts it, and sends it requests: allowed, refused, failed and abandoned ones, with every operation.
    pub(crate) async fn start() -> Self {
        let mut redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, TOKEN, redis.url()).await.unwrap();
        let started = Self { bridge };
        let eval = json!(["EVAL", "return 1", 0]);
        let evalsha = json!(["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", 0]);
        for (path, body, status) in [
            ("/", json!(["SET", "k", "v"]), 200),
            ("/", evalsha.clone(), 400),
            ("/", eval, 200),
            ("/", evalsha.clone(), 200),
            ("/get/k", Value::Null, 200),
            ("/pipeline", json!([["GET", "k"], ["PING"]]), 200),
            ("/multi-exec", json!([["GET", "k"], ["PING"]]), 200),
        ] {
            assert_eq!(started.post(path, &body, TOKEN).await, status, "{path} {body}");
        }
        assert_eq!(started.post("/", &evalsha, "wrong").await, 401);
        let mut cli = Command::new("redis-cli");
        cli.arg("-s").arg(redis.socket()).args(["client", "pause", "60000"]);
        assert_eq!(cli.output().await.unwrap().stdout, b"OK\n");
        started.abandon(&evalsha).await;
        redis.kill().await;
        assert_eq!(started.post("/", &evalsha, TOKEN).await, 502);
        started
    }

    /// Returns the address of its port.
    pub(crate) fn address(&self) -> String {
        self.bridge.address().to_string()
    }

    /// Returns its metrics.
    pub(crate) async fn metrics(&self) -> String {
        reqwest::get(format!("{}/metrics", self.bridge.url())).await.unwrap().text().await.unwrap()
    }

    /// Sends a command, and leaves before Redis replies.
    async fn abandon(&self, command: &Value) {
        let request = reqwest::Client::new().post(self.bridge.url()).bearer_auth(TOKEN).body(command.to_string());
        let given_up = request.timeout(Duration::from_millis(100)).send().await.unwrap_err();
        assert!(given_up.is_timeout(), "{given_up}");
        let counted = async || {
            let is_count = |line: &&str| line.contains("_count{") && line.contains("outcome=\"abandoned\"");
            // One for the request, one for Redis.
            while self.metrics().await.lines().filter(is_count).count() < 2 {}
        };
        timeout(PATIENCE, counted()).await.expect("the bridge counts what its clients did not wait for");
    }

    async fn post(&self, path: &str, body: &Value, token: &str) -> u16 {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = reqwest::Client::new().post(format!("{}{path}", self.bridge.url())).bearer_auth(token).body(body);
        request.send().await.unwrap().status().as_u16()
    }
}

const TOKEN: &str = "token";
const PATIENCE: Duration = Duration::from_secs(30);
