//! Pipelines and transactions.

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{TOKEN, error, read, start};

#[tokio::test]
async fn a_pipeline_returns_one_entry_per_command_in_order() {
    let (bridge, _redis) = start().await;
    let commands = json!([["SET", "k", "1"], ["LPUSH", "k", "x"], ["MULTI"], ["INCR", "k"], [], ["GET", "k"]]);
    let (status, body) = bridge.post("/pipeline", commands.to_string()).await;
    assert_eq!(status, 200);
    let results: Vec<_> = body.as_array().unwrap().iter().map(|entry| &entry["result"]).collect();
    assert_eq!(results, [&json!("OK"), &json!(null), &json!(null), &json!(2), &json!(null), &json!("2")]);
    for (index, expected) in [(1, "WRONGTYPE "), (2, "ERR Command is not available: 'MULTI'"), (4, "ERR empty command")]
    {
        let text = error(&body[index]);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[tokio::test]
async fn a_pipeline_may_consist_of_refused_commands() {
    let (bridge, _redis) = start().await;
    let (status, body) = bridge.post("/pipeline", r#"[["SUBSCRIBE","a"],["MONITOR"]]"#).await;
    assert_eq!((status, body.as_array().unwrap().len()), (200, 2));
}

#[tokio::test]
async fn a_long_pipeline_keeps_its_order() {
    let (bridge, _redis) = start().await;
    let commands: Vec<_> = (0..5000).map(|i| json!(["ECHO", i])).collect();
    let request = bridge.request(Method::POST, "/pipeline").body(json!(commands).to_string());
    let (_, body) = read(request).await;
    let expected: Vec<_> = (0..5000).map(|i| json!({"result": i.to_string()})).collect();
    assert_eq!(body, json!(expected));
}

#[tokio::test]
async fn batches_support_base64() {
    let (bridge, _redis) = start().await;
    for path in ["/pipeline", "/multi-exec"] {
        let request = bridge.request(Method::POST, path).header("Upstash-Encoding", "base64");
        let (_, body) = read(request.body(r#"[["SET","k","v"],["GET","k"]]"#)).await;
        assert_eq!(body, json!([{"result": "OK"}, {"result": "dg=="}]));
    }
}

#[tokio::test]
async fn a_transaction_returns_errors_in_place() {
    let (bridge, _redis) = start().await;
    let commands = json!([["SET", "k", "1"], ["LPUSH", "k", "x"], ["INCR", "k"]]);
    let (status, body) = bridge.post("/multi-exec", commands.to_string()).await;
    assert_eq!(status, 200);
    assert_eq!((&body[0], &body[2]), (&json!({"result": "OK"}), &json!({"result": 2})));
    assert!(error(&body[1]).starts_with("WRONGTYPE "));
}

#[tokio::test]
async fn a_transaction_with_an_invalid_command_runs_nothing() {
    let (bridge, _redis) = start().await;
    for (commands, expected) in [
        (
            json!([["SET", "k", "1"], ["GET"]]),
            "EXECABORT Transaction discarded because of previous errors. \
             (ERR wrong number of arguments for 'get' command)",
        ),
        (
            json!([["SET", "k", "1"], ["NONSENSE"]]),
            "EXECABORT Transaction discarded because of previous errors. (ERR unknown",
        ),
        (json!([["SET", "k", "1"], ["SELECT", 1]]), "ERR Command is not available: 'SELECT'"),
        (json!([["SET", "k", "1"], []]), "ERR empty command"),
    ] {
        let (status, body) = bridge.post("/multi-exec", commands.to_string()).await;
        assert_eq!(status, 400);
        assert!(error(&body).starts_with(expected), "{body}");
    }
    assert_eq!(bridge.run(json!(["EXISTS", "k"])).await, 0);
}

/// Each transaction reads the counter, increments it and reads it again. A command of another request in between
/// would change the values.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_atomic_among_concurrent_requests() {
    let (bridge, _redis) = start().await;
    let transaction = json!([["INCRBY", "k", 0], ["INCR", "k"], ["PING"], ["INCRBY", "k", 0]]).to_string();
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let request = bridge.request(Method::POST, "/multi-exec").body(transaction.clone());
        requests.spawn(async move { (true, read(request).await) });
        let request = bridge.bare(Method::GET, "/incr/k").bearer_auth(TOKEN);
        requests.spawn(async move { (false, read(request).await) });
    }
    while let Some(outcome) = requests.join_next().await {
        let (transaction, (status, body)) = outcome.unwrap();
        assert_eq!(status, 200, "{body}");
        if transaction {
            let number = |index: usize| body[index]["result"].as_i64().unwrap();
            assert_eq!((number(1), number(3)), (number(0) + 1, number(0) + 1));
        }
    }
    assert_eq!(bridge.run(json!(["GET", "k"])).await, "400");
}
