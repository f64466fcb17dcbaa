//! Slots that move between nodes while clients send commands.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use sluicegate_bridge::RedisCluster;
use tokio::task::JoinSet;

use crate::{
    fixture::{key_of_each_node, start},
    support::{TestBridge, error},
};

/// Returns a slot of node 0, a key in it, and three more keys in it.
async fn one_slot(cluster: &RedisCluster) -> (u16, String, [String; 3]) {
    let [key, ..] = key_of_each_node(cluster).await;
    let tagged = ["x", "y", "z"].map(|end| format!("{{{key}}}{end}"));
    (cluster.slot(&key).await.unwrap(), key, tagged)
}

async fn transaction(bridge: &TestBridge, commands: Value) -> (u16, Value) {
    bridge.post("/multi-exec", commands.to_string()).await
}

#[tokio::test]
async fn commands_follow_a_moved_slot() {
    let (bridge, mut cluster) = start().await;
    let (slot, key, _) = one_slot(&cluster).await;
    bridge.run(json!(["SET", key, 1])).await;
    for (to, expected) in [(1, 2), (2, 3), (0, 4)] {
        cluster.move_slot(slot, to).await.unwrap();
        assert_eq!(cluster.owner(slot), to);
        assert_eq!(bridge.run(json!(["INCR", key])).await, expected);
    }
    // The first request after a move may also be a pipeline, a transaction or a script.
    cluster.move_slot(slot, 1).await.unwrap();
    let (status, body) = bridge.post("/pipeline", json!([["INCR", key], ["PING"], ["INCR", key]]).to_string()).await;
    assert_eq!((status, body), (200, json!([{ "result": 5 }, { "result": "PONG" }, { "result": 6 }])));
    cluster.move_slot(slot, 2).await.unwrap();
    let response = transaction(&bridge, json!([["INCR", key], ["GET", key]])).await;
    assert_eq!(response, (200, json!([{ "result": 7 }, { "result": "7" }])));
    cluster.move_slot(slot, 0).await.unwrap();
    assert_eq!(bridge.run(json!(["EVAL", "return redis.call('INCR', KEYS[1])", 1, key])).await, 8);
}

#[tokio::test]
async fn a_moving_slot_is_served_by_both_nodes() {
    let (bridge, mut cluster) = start().await;
    let (slot, key, [x, y, z]) = one_slot(&cluster).await;
    bridge.run(json!(["SET", key, 1])).await;
    bridge.run(json!(["SET", x, 1])).await;

    let moving = cluster.begin_move(slot, 1).await.unwrap();
    // Existing keys are on the old node; new keys are created on the new node.
    assert_eq!(bridge.run(json!(["INCR", key])).await, 2);
    assert_eq!(bridge.run(json!(["INCR", y])).await, 1);
    assert_eq!(bridge.run(json!(["EVAL", "return redis.call('INCR', KEYS[1])", 1, z])).await, 1);
    let (status, body) = bridge.post("/pipeline", json!([["INCR", y], ["INCR", x], ["INCR", z]]).to_string()).await;
    assert_eq!((status, body), (200, json!([{ "result": 2 }, { "result": 2 }, { "result": 2 }])));
    // The keys of a transaction must all be on one of the nodes.
    assert_eq!(
        transaction(&bridge, json!([["INCR", x], ["GET", x]])).await.1,
        json!([{ "result": 3 }, { "result": "3" }])
    );
    assert_eq!(
        transaction(&bridge, json!([["INCR", y], ["GET", y]])).await.1,
        json!([{ "result": 3 }, { "result": "3" }])
    );

    // A script with keys on both nodes cannot run until the move is complete.
    let (status, body) = bridge.post("/", json!(["EVAL", "return 1", 2, x, y]).to_string()).await;
    assert_eq!(status, 502, "{body}");
    assert!(error(&body).contains("TRYAGAIN"), "{body}");

    moving.move_keys().await.unwrap();
    assert_eq!(bridge.run(json!(["INCR", key])).await, 3);
    assert_eq!(
        transaction(&bridge, json!([["INCR", x], ["INCR", y]])).await.1,
        json!([{ "result": 4 }, { "result": 4 }])
    );
    moving.finish().await.unwrap();
    assert_eq!(bridge.run(json!(["INCR", key])).await, 4);
    assert_eq!(bridge.run(json!(["MGET", x, y, z])).await, json!(["4", "4", "2"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_do_not_notice_a_slot_move() {
    let (bridge, mut cluster) = start().await;
    let (slot, _, keys) = one_slot(&cluster).await;
    let bridge = Arc::new(bridge);
    let done = Arc::new(AtomicBool::new(false));
    let clients = keys.clone().map(|key| {
        let (bridge, done) = (Arc::clone(&bridge), Arc::clone(&done));
        tokio::spawn(async move {
            let mut count = 0;
            while !done.load(Ordering::Relaxed) {
                let single = bridge.run(json!(["INCR", key])).await;
                let (status, both) = transaction(&bridge, json!([["INCR", key], ["INCR", key]])).await;
                count += 3;
                let expected = json!([{ "result": count - 1 }, { "result": count }]);
                assert_eq!((single, status, both), (json!(count - 2), 200, expected));
            }
            count
        })
    });
    for to in [1, 2, 0, 2, 1, 0] {
        cluster.move_slot(slot, to).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    for (client, key) in clients.into_iter().zip(keys) {
        // Every increment got a response and ran exactly once.
        let count: u64 = client.await.unwrap();
        assert!(count > 0);
        assert_eq!(bridge.run(json!(["GET", key])).await, count.to_string());
    }
}

/// The library that keeps the connections once waited forever for its own lock when many commands were on their way
/// while it read the slot map again.
#[tokio::test(flavor = "multi_thread")]
async fn many_commands_at_once_survive_a_slot_move() {
    const AT_ONCE: u64 = 400;
    let (bridge, mut cluster) = start().await;
    let (slot, key, _) = one_slot(&cluster).await;
    let bridge = Arc::new(bridge);
    for (to, round) in [1, 2, 0, 1, 2, 0].into_iter().zip(1..) {
        cluster.move_slot(slot, to).await.unwrap();
        let mut commands = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (bridge, key) = (Arc::clone(&bridge), key.clone());
            commands.spawn(async move { bridge.run(json!(["INCR", key])).await });
        }
        commands.join_all().await;
        assert_eq!(bridge.run(json!(["GET", key])).await, (round * AT_ONCE).to_string());
    }
}
