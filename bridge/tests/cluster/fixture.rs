//! A bridge in front of a cluster.

use sluicegate_bridge::{Backend, RedisCluster};

use crate::support::TestBridge;

pub(crate) async fn start() -> (TestBridge, RedisCluster) {
    let cluster = RedisCluster::start().await.unwrap();
    (TestBridge::over(Backend::Cluster(cluster.urls())).await, cluster)
}

/// Returns a key of each node, by the index of the node.
pub(crate) async fn key_of_each_node(cluster: &RedisCluster) -> [String; 3] {
    let mut keys = [const { String::new() }; 3];
    for number in 0.. {
        let key = format!("key{number}");
        let node = cluster.owner(cluster.slot(&key).await.unwrap());
        if let Some(known) = keys.get_mut(node) {
            *known = key;
        }
        if keys.iter().all(|key| !key.is_empty()) {
            break;
        }
    }
    keys
}
