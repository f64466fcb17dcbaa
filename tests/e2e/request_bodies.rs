//! Clients that send a body late, or not at all, on a route that reads it.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::tenant::{ApiKey, TenantId};

use crate::bare::{Bare, Client};
use crate::support::{plenty, until};

fn configuration(timeout: &str) -> Value {
    let mut config = plenty();
    config["timeout"] = json!(timeout);
    config["identify"] = json!(["api_key", "address"]);
    config["routes"] = json!([
        { "match": "* /keyed", "require_key": true, "cost": "json:/max_tokens | 1000" },
        { "match": "* /open", "cost": "json:/max_tokens | 1000" },
    ]);
    config
}

/// Sends a request with a well-formed key of nobody, without the body that it announces.
async fn begin(bare: &Bare, path: &str) -> Client {
    let key = ApiKey::generate(&TenantId::new("nobody").unwrap(), [9; 20]);
    let mut client = bare.send(&format!("POST {path}")).await;
    client.write(&format!("X-Api-Key: {}\r\nContent-Length: {}\r\n\r\n", key.reveal(), BODY.len())).await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_of_a_caller_who_is_refused() {
    let bare = Bare::start(configuration("30s")).await;
    let head = begin(&bare, "/keyed").await.head().await;
    assert!(head.starts_with("http/1.1 401"), "{head}");
    assert_eq!(bare.origin.requests(), 0);
}

/// The lookup of the key has started the time that the check may take.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_does_not_use_up_the_timeout() {
    let bare = Bare::start(configuration("2s")).await;
    let mut client = begin(&bare, "/open").await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    client.write(BODY).await;
    let head = client.head().await;
    assert!(head.starts_with("http/1.1 200") && head.contains("\"plenty\";r=99993;"), "{head}");
}

/// Clients that announce bodies and do not send them cannot take the memory of the isolate.
#[tokio::test(flavor = "multi_thread")]
async fn the_bodies_being_read_are_bounded() {
    let bare = Bare::start(configuration("30s")).await;
    let announce = async |length: usize| {
        let mut client = bare.send("POST /open").await;
        client.write(&format!("Content-Length: {length}\r\n\r\n")).await;
        client
    };
    let mut idle = Vec::new();
    // 32 MiB are read at once.
    for _ in 0..128 {
        idle.push(announce(256 << 10).await);
    }
    until("further bodies are refused", async || {
        let mut client = announce(BODY.len()).await;
        client.write(BODY).await;
        client.head().await.starts_with("http/1.1 503")
    })
    .await;
    let head = idle.pop().unwrap().head().await;
    assert!(head.starts_with("http/1.1 408"), "{head}");
    until("bodies are read again", async || {
        let mut client = announce(BODY.len()).await;
        client.write(BODY).await;
        client.head().await.starts_with("http/1.1 200")
    })
    .await;
}

const BODY: &str = r#"{"max_tokens":7}"#;
