//! A call to Redis that is given up ends: it does not stay open until the server answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use sluicegate_devstack::{Options, Stack};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{get, limits, until};

/// A server that reads requests and never answers. It counts connections, and those that the other side has closed.
#[derive(Default)]
struct Silent {
    opened: AtomicUsize,
    closed: AtomicUsize,
}

impl Silent {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let silent = Arc::new(Silent::default());
        let server = Arc::clone(&silent);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                server.opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(Arc::clone(&server).read(connection));
            }
        });
        (silent, url)
    }

    async fn read(self: Arc<Self>, mut connection: TcpStream) {
        let mut piece = [0; 4096];
        while connection.read(&mut piece).await.is_ok_and(|length| length > 0) {}
        self.closed.fetch_add(1, Ordering::SeqCst);
    }

    fn counts(&self) -> (usize, usize) {
        (self.opened.load(Ordering::SeqCst), self.closed.load(Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_end_at_the_deadline() {
    let (silent, url) = Silent::start().await;
    let mut config = limits(&json!([{ "name": "hour", "algorithm": "fixed_window", "limit": 2, "window": "1h" }]));
    (config["on_outage"], config["timeout"]) = (json!("open"), json!("100ms"));
    let vars = vec![("UPSTASH_REDIS_REST_URL".to_owned(), url)];
    let stack = Stack::start(Options { sluicegate: Some(config), vars, ..Options::default() }).await.unwrap();
    // At the end of a request the runtime ends its calls, so these requests wait for the origin. The circuit breaker does not
    // open before the fifth failure.
    for _ in 0..3 {
        tokio::spawn(get(&stack, "/slow/120000").send());
    }
    until("the origin is asked", async || stack.origin.requests_to("/slow/120000") == 3).await;
    until("every call is closed", async || {
        let (opened, closed) = silent.counts();
        opened >= 3 && opened == closed
    })
    .await;
    stack.stop().await;
}
