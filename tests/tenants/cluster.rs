//! Tenants on a Redis Cluster of three nodes, where documents and the index are on different nodes.

use sluicegate::redis::{HttpTransport, Token};
use sluicegate::time::Millis;
use sluicegate_bridge::{Backend, Bridge, RedisCluster};

use crate::{create, delete, id, list, replace, tenants};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_on_all_nodes_are_stored_and_listed() {
    let cluster = RedisCluster::start().await.unwrap();
    let bridge = Bridge::bind(([127, 0, 0, 1], 0).into(), "token", Backend::Cluster(cluster.urls())).await.unwrap();
    let url = format!("http://{}", bridge.address());
    let serving = tokio::spawn(async { bridge.run(std::future::pending()).await.unwrap() });
    let transport = HttpTransport::new(url.parse().unwrap(), &Token::new("token").unwrap(), Millis::from_secs(60));
    let tenants = tenants(&transport);

    let names: Vec<_> = (0..30).map(|number| format!("t{number:02}")).collect();
    let ids: Vec<_> = names.iter().map(|name| id(name)).collect();
    let mut nodes = [false; 3];
    let mut stored = Vec::new();
    for name in &names {
        let slot = cluster.slot(&crate::key(name)).await.unwrap();
        nodes[cluster.owner(slot)] = true;
        let created = create(tenants, name, "free").await;
        stored.push(replace(tenants, &created, name).await);
    }
    assert_eq!(nodes, [true; 3]);
    assert_eq!(list(tenants, 7).await, names);
    let found = tenants.get_many(&ids).await.unwrap();
    assert_eq!(found, stored.iter().cloned().map(|stored| Ok(Some(stored))).collect::<Vec<_>>());
    for stored in &stored {
        delete(tenants, stored).await;
    }
    assert!(list(tenants, 7).await.is_empty());
    serving.abort();
}
