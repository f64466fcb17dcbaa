//! The private cluster.

use std::net::TcpStream;

use sluicegate_bridge::{ClusterError, RedisCluster};

fn listening(urls: &[String]) -> usize {
    let addresses = urls.iter().filter_map(|url| url.strip_prefix("redis://"));
    addresses.filter(|address| TcpStream::connect(address).is_ok()).count()
}

#[tokio::test]
async fn dropping_a_cluster_ends_its_nodes() {
    let cluster = RedisCluster::start().await.unwrap();
    let urls = cluster.urls();
    assert_eq!(listening(&urls), 3);
    drop(cluster);
    assert_eq!(listening(&urls), 0);
}

#[tokio::test]
async fn a_panicking_test_ends_its_nodes() {
    let cluster = RedisCluster::start().await.unwrap();
    let urls = cluster.urls();
    let test = tokio::spawn(async move {
        let _cluster = cluster;
        panic!("as a failed assertion would");
    });
    assert!(test.await.unwrap_err().is_panic());
    assert_eq!(listening(&urls), 0);
}

#[tokio::test]
async fn slots_are_distributed_and_can_be_moved() {
    let mut cluster = RedisCluster::start().await.unwrap();
    for (slot, node) in [(0, 0), (5461, 0), (5462, 1), (10_922, 1), (10_923, 2), (16_383, 2)] {
        assert_eq!(cluster.owner(slot), node, "{slot}");
    }
    // The example of the Redis Cluster specification.
    assert_eq!(cluster.slot("123456789").await.unwrap(), 0x31c3);
    assert_eq!(cluster.slot("{user1000}.following").await.unwrap(), cluster.slot("user1000").await.unwrap());
    cluster.move_slot(0x31c3, 0).await.unwrap();
    assert_eq!((cluster.owner(0x31c3), cluster.owner(0x31c4)), (0, 2));
    // Redis refuses to move a slot to the node that serves it.
    let error = cluster.move_slot(0x31c3, 0).await.unwrap_err().to_string();
    assert!(error.starts_with("CLUSTER SETSLOT failed at redis://127.0.0.1:"), "{error}");
    for (slot, node) in [(16_384, 0), (0, 3)] {
        let error = cluster.move_slot(slot, node).await.unwrap_err();
        assert!(matches!(error, ClusterError::NoSuchSlot { .. }), "{error}");
    }
}
