//! Concurrent writers of one tenant.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::{api, create_tenant};
use crate::support::{body, header};

async fn read(stack: &Stack, tenant: &str) -> (String, Value) {
    let answer = api(stack, "GET", &format!("/tenants/{tenant}"), &Value::Null).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    (header(&answer, "etag"), body(answer).await)
}

/// Replaces the metadata if nobody has changed the tenant since. Returns whether it did.
async fn write(stack: &Stack, tenant: &str, etag: &str, metadata: Value) -> bool {
    let new = json!({ "plan": "wide", "metadata": metadata });
    let request = api(stack, "PUT", &format!("/tenants/{tenant}"), &new).header("if-match", etag);
    let answer = request.send().await.unwrap();
    match answer.status().as_u16() {
        200 => true,
        412 => {
            assert_eq!(body(answer).await["type"], "urn:sluicegate:problem:lost-race");
            false
        }
        other => panic!("{other}"),
    }
}

pub(crate) async fn fifty_writers(stack: &Stack) {
    let etag = create_tenant(stack, "raced", "wide").await;
    let writes = join_all((0..50).map(|i| write(stack, "raced", &etag, json!({ "writer": i.to_string() })))).await;
    let winners: Vec<_> = (0..50).filter(|i| writes[*i]).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let (newest, tenant) = read(stack, "raced").await;
    assert_eq!(tenant["metadata"], json!({ "writer": winners[0].to_string() }), "nothing is overwritten");
    assert_ne!(newest, etag);
}

/// Each writer increments a number, and retries whenever another was faster.
pub(crate) async fn ten_counters(stack: &Stack) {
    create_tenant(stack, "counter", "wide").await;
    join_all((0..10).map(|_| async {
        loop {
            let (etag, tenant) = read(stack, "counter").await;
            let count: u32 = tenant["metadata"]["count"].as_str().unwrap_or("0").parse().unwrap();
            if write(stack, "counter", &etag, json!({ "count": (count + 1).to_string() })).await {
                return;
            }
        }
    }))
    .await;
    assert_eq!(read(stack, "counter").await.1["metadata"]["count"], "10", "no addition is lost");
}
