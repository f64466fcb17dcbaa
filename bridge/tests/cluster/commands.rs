//! Commands, pipelines and transactions across the nodes of a cluster.

use serde_json::json;

use crate::{
    fixture::{key_of_each_node, start},
    support::error,
};

#[tokio::test]
async fn commands_reach_the_node_of_their_key() {
    let (bridge, cluster) = start().await;
    let mut seen = [0; 3];
    for number in 0..300 {
        let key = format!("k{number}");
        assert_eq!(bridge.run(json!(["SET", key, number])).await, "OK");
        seen[cluster.owner(cluster.slot(&key).await.unwrap())] += 1;
    }
    assert!(seen.iter().all(|&keys| keys > 50), "{seen:?}");
    for number in 0..300 {
        assert_eq!(bridge.get(&format!("/get/k{number}")).await, (200, json!({ "result": number.to_string() })));
    }
    assert_eq!(bridge.run(json!(["DBSIZE"])).await, 300);
}

#[tokio::test]
async fn commands_with_no_key_or_many_keys_work() {
    let (bridge, cluster) = start().await;
    let [a, b, c] = key_of_each_node(&cluster).await;
    assert_eq!(bridge.run(json!(["PING"])).await, "PONG");
    assert_eq!(bridge.run(json!(["ECHO", "x"])).await, "x");
    // The client library splits these among the nodes.
    assert_eq!(bridge.run(json!(["MSET", a, 1, b, 2, c, 3])).await, "OK");
    assert_eq!(bridge.run(json!(["MGET", c, a, "none", b])).await, json!(["3", "1", null, "2"]));
    assert_eq!(bridge.run(json!(["DEL", a, b, c])).await, 3);
    // This one cannot be split.
    let text = bridge.fail(json!(["SINTER", a, b])).await;
    assert!(text.starts_with("CROSSSLOT "), "{text}");
    assert!(bridge.fail(json!(["INCR", a, "x"])).await.starts_with("ERR wrong number of arguments"));
}

#[tokio::test]
async fn a_pipeline_across_nodes_keeps_its_order() {
    let (bridge, cluster) = start().await;
    let [a, b, c] = key_of_each_node(&cluster).await;
    let commands = json!([["SET", a, 1], ["SET", b, "x"], ["INCR", b], ["GET", c], ["SELECT", 1], ["INCR", a]]);
    let (status, body) = bridge.post("/pipeline", commands.to_string()).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body[0], json!({ "result": "OK" }));
    assert_eq!(body[1], json!({ "result": "OK" }));
    assert_eq!(body[2], json!({ "error": "ERR value is not an integer or out of range" }));
    assert_eq!(body[3], json!({ "result": null }));
    assert!(error(&body[4]).starts_with("ERR Command is not available: 'SELECT'"), "{body}");
    assert_eq!(body[5], json!({ "result": 2 }));
}

#[tokio::test]
async fn a_transaction_must_be_in_one_slot() {
    let (bridge, cluster) = start().await;
    let tags = key_of_each_node(&cluster).await;
    for tag in &tags {
        let commands = json!([["SET", format!("{{{tag}}}1"), 1], ["INCR", format!("{{{tag}}}1")], ["GET", tag]]);
        let (status, body) = bridge.post("/multi-exec", commands.to_string()).await;
        assert_eq!((status, body), (200, json!([{ "result": "OK" }, { "result": 2 }, { "result": null }])));
    }
    let [a, b, _] = &tags;
    let (status, body) = bridge.post("/multi-exec", json!([["SET", a, 1], ["SET", b, 1]]).to_string()).await;
    assert_eq!((status, error(&body)), (400, "CROSSSLOT Keys in request don't hash to the same slot".to_owned()));
    assert_eq!(bridge.run(json!(["EXISTS", a])).await, 0, "no command was run");
    // A command that cannot be queued discards the transaction; one that fails when it runs does not.
    let (status, body) = bridge.post("/multi-exec", json!([["SET", a, "x"], ["INCR"]]).to_string()).await;
    assert_eq!(status, 400);
    assert!(error(&body).starts_with("EXECABORT "), "{body}");
    let (status, body) = bridge.post("/multi-exec", json!([["SET", a, "x"], ["INCR", a]]).to_string()).await;
    let expected = json!([{ "result": "OK" }, { "error": "ERR value is not an integer or out of range" }]);
    assert_eq!((status, body), (200, expected));
}

#[tokio::test]
async fn a_transaction_without_keys_runs_on_any_node() {
    let (bridge, _cluster) = start().await;
    let (status, body) = bridge.post("/multi-exec", json!([["ECHO", "a"], ["ECHO", "b"]]).to_string()).await;
    assert_eq!((status, body), (200, json!([{ "result": "a" }, { "result": "b" }])));
    let (status, body) = bridge.get("/health").await;
    assert_eq!((status, body), (200, json!({ "status": "ok" })));
}
