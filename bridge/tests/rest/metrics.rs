//! The endpoints `/metrics` and `/health`.

use reqwest::Method;
use serde_json::json;

use crate::support::{read, start};

#[tokio::test]
async fn counts_requests_and_commands() {
    let (bridge, _redis) = start().await;
    bridge.run(json!(["PING"])).await;
    bridge.fail(json!(["EvalSha", "f".repeat(40), 0])).await;
    bridge.fail(json!(["SUBSCRIBE", "c"])).await;
    bridge.get("/get/a").await;
    bridge.post("/pipeline", r#"[["GET","a"],["get","b"],["MONITOR"]]"#).await;
    bridge.post("/multi-exec", r#"[["INCR","n"],["INCR","n"]]"#).await;
    read(bridge.bare(Method::GET, "/get/a")).await;
    for (labels, expected) in [
        (r#"route="command",status="200""#, 1),
        (r#"route="command",status="400""#, 2),
        (r#"route="path",status="200""#, 1),
        (r#"route="path",status="401""#, 1),
        (r#"route="pipeline",status="200""#, 1),
        (r#"route="multi_exec",status="200""#, 1),
    ] {
        let name = format!("sluicegate_bridge_http_requests_total{{{labels}}}");
        assert_eq!(bridge.counter(&name).await, expected, "{labels}");
    }
    for (command, expected) in [
        ("ping", 1),
        ("evalsha", 1),
        ("get", 3),
        ("multi", 1),
        ("incr", 2),
        ("exec", 1),
        ("subscribe", 0),
        ("monitor", 0),
    ] {
        let name = format!("sluicegate_bridge_redis_commands_total{{command=\"{command}\"}}");
        assert_eq!(bridge.counter(&name).await, expected, "{command}");
    }
}

#[tokio::test]
async fn unknown_command_names_share_one_label() {
    let (bridge, _redis) = start().await;
    for i in 0..50 {
        bridge.fail(json!([format!("NONSENSE{i}")])).await;
    }
    assert_eq!(bridge.counter(r#"sluicegate_bridge_redis_commands_total{command="other"}"#).await, 50);
    let text = bridge.bare(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(!text.to_lowercase().contains("nonsense"), "{text}");
}

#[tokio::test]
async fn health_and_metrics_are_open_and_not_counted() {
    let (bridge, mut redis) = start().await;
    assert_eq!(read(bridge.bare(Method::GET, "/health")).await, (200, json!({"status": "ok"})));
    let response = bridge.bare(Method::GET, "/metrics").send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert!(!response.text().await.unwrap().lines().any(|line| line.contains("_total{")));
    redis.kill().await;
    let (status, body) = read(bridge.bare(Method::GET, "/health")).await;
    assert_eq!((status, &body["status"]), (503, &json!("unavailable")));
    assert!(body["error"].as_str().unwrap().starts_with("ERR redis is unreachable: "), "{body}");
}
