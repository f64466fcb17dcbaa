//! Many clients that change the same resource at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn one_of_fifty_writers_of_a_version_wins() {
    let service = Service::start().await;
    let etag = service.tenant("acme", "free").await;
    let writers = (0..50).map(|i| {
        let (service, etag) = (&service, etag.as_str());
        async move {
            let body = json!({ "plan": "free", "metadata": { "writer": i.to_string() } });
            (i, service.call_if_match("PUT", "/tenants/acme", Some(etag), body).await)
        }
    });
    let replies = join_all(writers).await;
    let winners: Vec<_> = replies.iter().filter(|(_, reply)| reply.status == 200).collect();
    assert_eq!(winners.len(), 1);
    let losers = replies.iter().filter(|(_, reply)| (reply.status, reply.kind()) == (412, "lost-race"));
    assert_eq!(losers.count(), 49);
    let read = service.call("GET", "/tenants/acme", Value::Null).await;
    assert_eq!(read.body, winners[0].1.body, "the document is the winner's");
}

#[tokio::test]
async fn patches_without_a_version_are_all_applied() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    let writers = (0..8).map(|i| {
        let service = &service;
        async move { service.call("PATCH", "/tenants/acme", json!({ "metadata": { format!("k{i}"): "v" } })).await }
    });
    for reply in join_all(writers).await {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let read = service.call("GET", "/tenants/acme", Value::Null).await;
    assert_eq!(read.body["metadata"].as_object().unwrap().len(), 8);
}

#[tokio::test]
async fn one_of_many_clients_creates_and_one_locks() {
    let service = Service::start().await;
    let creators = (0..20).map(|_| service.call("POST", "/tenants", json!({ "id": "acme", "plan": "free" })));
    let created = join_all(creators).await.iter().filter(|reply| reply.status == 201).count();
    let owners = (0..20).map(|i| {
        let service = &service;
        async move {
            service.call("POST", "/locks/job/acquire", json!({ "owner": format!("o{i}"), "ttl_ms": 60_000 })).await
        }
    });
    let held = join_all(owners).await.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((created, held), (1, 1));
}
