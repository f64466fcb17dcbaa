//! A tenant rotates its key without a refused request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sluicegate_devstack::{Fault, Stack};
use tokio::sync::watch;

use crate::api::{create_key, create_tenant, revoke_key};
use crate::direct_redis::Inside;
use crate::support::{ADDRESS, client, get_as, problem, status, until};

/// The customer's services send continuously, each with the key it knows.
pub(crate) async fn without_a_refused_request(stack: &Stack) {
    create_tenant(stack, "rotating", "wide").await;
    let first = create_key(stack, "rotating", json!({})).await;
    let (newest, keys) = watch::channel(first.clone());
    let stopped = AtomicBool::new(false);
    let sent: Vec<AtomicU64> = (0..SERVICES).map(|_| AtomicU64::new(0)).collect();
    let services = join_all(sent.iter().map(|sent| async {
        let (client, keys) = (client(), keys.clone());
        while !stopped.load(Ordering::SeqCst) {
            let (id, key) = keys.borrow().clone();
            let request = client.get(format!("{}/private/x", stack.worker.url())).bearer_auth(key);
            assert_eq!(status(request).await, 200, "key {id}");
            sent.fetch_add(1, Ordering::SeqCst);
        }
    }));
    // Each service has sent twice, so its current request began after this call.
    let all_have_moved = async || {
        let before: Vec<u64> = sent.iter().map(|sent| sent.load(Ordering::SeqCst)).collect();
        let moved = || sent.iter().zip(&before).all(|(sent, before)| sent.load(Ordering::SeqCst) >= before + 2);
        until("all services have moved on", async || moved()).await;
    };
    let rotations = async {
        let mut old = first;
        for _ in 0..5 {
            let new = create_key(stack, "rotating", json!({})).await;
            all_have_moved().await;
            newest.send_replace(new.clone());
            all_have_moved().await;
            revoke_key(stack, "rotating", &old.0).await;
            assert_eq!(problem(get_as(stack, &old.1, "/private/x"), 401).await, "unknown-key");
            all_have_moved().await;
            old = new;
        }
        stopped.store(true, Ordering::SeqCst);
    };
    tokio::join!(services, rotations);
}

/// Another isolate creates the new key. This isolate has the tenant cached without the key.
pub(crate) async fn from_elsewhere(stack: &Stack, inside: &Inside) {
    for round in 0..3 {
        let tenant = format!("moving-{round}");
        create_tenant(stack, &tenant, "wide").await;
        let old = create_key(stack, &tenant, json!({})).await.1;
        assert_eq!(status(get_as(stack, &old, "/private/x")).await, 200);
        // A document read less than a second ago is not read again for an unknown key.
        tokio::time::sleep(Duration::from_millis(1001)).await;
        let made = inside.elsewhere("POST", &format!("/tenants/{tenant}/keys"), &json!({})).await;
        let new = made["key"].as_str().unwrap();
        let client = client();
        let at_once =
            (0..SERVICES).map(|_| status(client.get(format!("{}/private/x", stack.worker.url())).bearer_auth(new)));
        let statuses = join_all(at_once).await;
        assert_eq!(statuses, [200; SERVICES], "round {round}");
        assert_eq!(status(get_as(stack, &old, "/private/x")).await, 200, "both hold");
    }
}

/// A hundred requests arrive at once at an isolate that has not cached their tenant.
pub(crate) async fn to_a_cold_isolate(stack: &Stack, inside: &Inside) {
    inside.elsewhere("POST", "/tenants", &json!({ "id": "cold", "plan": "wide" })).await;
    let made = inside.elsewhere("POST", "/tenants/cold/keys", &json!({})).await;
    let (client, url) = (client(), format!("{}/private/x", stack.worker.url()));
    let request = || client.get(&url).header(ADDRESS, "198.51.100.9").bearer_auth(made["key"].as_str().unwrap());
    // Redis is far away, so all of them arrive before the first reply.
    stack.network.inject(Fault::Delay(Duration::from_millis(300))).await;
    let statuses = join_all((0..100).map(|_| status(request()))).await;
    stack.network.heal().await;
    assert_eq!(statuses, [200; 100]);
}

const SERVICES: usize = 8;
