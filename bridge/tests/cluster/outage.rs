//! Nodes that stop and restart.

use std::time::Duration;

use serde_json::json;
use sluicegate_bridge::{Backend, Bridge, BridgeError, RedisCluster};
use tokio::time::{sleep, timeout};

use crate::{
    fixture::{key_of_each_node, start},
    support::{TestBridge, error},
};

/// Waits until a command on the key gets this status.
async fn until(bridge: &TestBridge, key: &str, status: u16) {
    let polling = async {
        while bridge.post("/", json!(["SET", key, "v"]).to_string()).await.0 != status {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), polling).await.unwrap();
}

#[tokio::test]
async fn a_stopped_node_fails_only_its_own_keys() {
    let (bridge, mut cluster) = start().await;
    let keys = key_of_each_node(&cluster).await;
    for (down, lost) in keys.iter().enumerate() {
        for key in &keys {
            until(&bridge, key, 200).await;
        }
        cluster.node(down).unwrap().kill().await;
        for _ in 0..3 {
            for key in &keys {
                let (status, body) = bridge.post("/", json!(["GET", key]).to_string()).await;
                if key == lost {
                    assert_eq!(status, 502, "{body}");
                    assert!(error(&body).starts_with("ERR redis is unreachable: "), "{body}");
                } else {
                    assert_eq!((status, body), (200, json!({ "result": "v" })));
                }
            }
        }
        let (status, body) = bridge.post("/multi-exec", json!([["GET", lost]]).to_string()).await;
        assert_eq!(status, 502, "{body}");
        cluster.node(down).unwrap().restart().await.unwrap();
        cluster.ready().await.unwrap();
    }
    for key in &keys {
        until(&bridge, key, 200).await;
    }
}

#[tokio::test]
async fn one_url_is_enough_to_find_all_nodes() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let keys = key_of_each_node(&cluster).await;
    let urls = cluster.urls();
    let bridge = TestBridge::over(Backend::Cluster(vec![urls[2].clone()])).await;
    for key in &keys {
        assert_eq!(bridge.run(json!(["SET", key, "v"])).await, "OK");
    }
    // One of the given nodes is down from the start.
    cluster.node(0).unwrap().kill().await;
    let bridge = TestBridge::over(Backend::Cluster(urls)).await;
    assert_eq!(bridge.run(json!(["GET", keys[1]])).await, "v");
    assert_eq!(bridge.run(json!(["GET", keys[2]])).await, "v");
}

#[tokio::test]
async fn an_unreachable_cluster_is_an_error() {
    let mut cluster = RedisCluster::start().await.unwrap();
    for node in 0..3 {
        cluster.node(node).unwrap().kill().await;
    }
    let urls = cluster.urls();
    let any = "127.0.0.1:0".parse().unwrap();
    let error = Bridge::bind(any, "t", Backend::Cluster(urls.clone())).await.err().unwrap();
    assert!(matches!(&error, BridgeError::RedisUnreachable { url, .. } if *url == urls.join(",")), "{error}");
}
