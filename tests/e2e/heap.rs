//! What a Worker keeps in memory after its clients have left, seen through the inspector of workerd (Chrome `DevTools`
//! Protocol). The resident memory does not tell: V8 collects garbage when it likes.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sluicegate_devstack::Fault;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::bare::{Bare, Client};
use crate::support::{body, client, until};

/// Collects the garbage of the isolate, and returns the bytes that are still in use.
async fn used_bytes(bare: &Bare) -> u64 {
    let targets = client().get(format!("http://{}/json", bare.inspector())).send().await.unwrap();
    let target = body(targets).await[0]["webSocketDebuggerUrl"].as_str().unwrap().to_owned();
    let (mut inspector, _) = connect_async(target).await.unwrap();
    let mut usage = Value::Null;
    let commands = async {
        for method in ["HeapProfiler.enable", COLLECT, COLLECT, "Runtime.getHeapUsage"] {
            let command = json!({ "id": 1, "method": method });
            inspector.send(Message::text(command.to_string())).await.unwrap();
            while usage["id"] != 1 {
                usage = serde_json::from_str(inspector.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
            }
            usage = std::mem::take(&mut usage["result"]);
        }
    };
    // An isolate without requests does not serve its inspector.
    let requests = async {
        loop {
            bare.head("/_sluicegate/nothing").await;
        }
    };
    tokio::select! {
        () = commands => {}
        () = requests => {}
    }
    usage["usedSize"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_during_the_check_frees_the_memory() {
    let hour = json!({ "name": "hour", "algorithm": "token_bucket", "limit": 1_000_000, "window": "1h" });
    let places = json!({ "name": "places", "algorithm": "concurrency", "limit": 1_000_000, "lease": "10m" });
    let bare = Bare::start_inspected(json!({
        "default_plan": "plain",
        "timeout": "30s",
        "on_outage": "closed",
        "plans": { "plain": { "limits": [hour] }, "leased": { "limits": [places] } },
        "routes": [{ "match": "GET /leased", "plan": "leased" }],
    }))
    .await;
    bare.network.inject(Fault::Delay(Duration::from_millis(20))).await;
    // V8 compiles what runs often.
    leave(&bare, BATCHES / 10).await;
    let most = used_bytes(&bare).await + CLIENTS * MOST_PER_CLIENT;
    leave(&bare, BATCHES).await;
    until(&format!("at most {most} bytes are in use"), async || {
        let used = used_bytes(&bare).await;
        println!("{used} bytes are in use");
        used <= most
    })
    .await;
}

/// Lets clients leave while Redis decides about their requests. Half of them have a lease.
async fn leave(bare: &Bare, batches: usize) {
    for _ in 0..batches {
        let paths = ["/plain", "/leased"].repeat(PAIRS);
        let clients = join_all(paths.into_iter().map(|path| bare.get(path))).await;
        clients.into_iter().for_each(Client::reset);
        // Waits for its own verdict, so that few others wait for theirs.
        assert!(bare.head("/plain").await.starts_with("http/1.1 200"));
    }
    bare.expect_leases(0).await;
}

const COLLECT: &str = "HeapProfiler.collectGarbage";
const BATCHES: usize = 100;
const PAIRS: usize = 10;
const CLIENTS: u64 = 2000;

/// In bytes. A request that is never freed takes more than a thousand.
const MOST_PER_CLIENT: u64 = 300;
