//! The unmodified npm packages `@upstash/redis` and `@upstash/ratelimit` against the bridge.

use std::path::Path;

use sluicegate_bridge::{Backend, Bridge, RedisServer};
use tokio::{process::Command, sync::oneshot};

#[tokio::test(flavor = "multi_thread")]
async fn the_npm_clients_work() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = package.join("../node_modules");
    let node = modules.join(".bin/node");
    assert!(
        node.exists() && modules.join("@upstash/ratelimit").exists(),
        "no node or npm packages in node_modules: run make setup"
    );

    let redis = RedisServer::start().await.unwrap();
    let address = "127.0.0.1:0".parse().unwrap();
    let bridge = Bridge::bind(address, "npm-token", Backend::Redis(redis.url())).await.unwrap();
    let url = format!("http://{}", bridge.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(bridge.run(async { drop(stopped.await) }));

    let output = Command::new(node)
        .args(["--test", "--test-concurrency=1", "tests/clients/*.test.mjs"])
        .current_dir(package)
        .env("SLUICEGATE_BRIDGE_URL", url)
        .env("SLUICEGATE_BRIDGE_TOKEN", "npm-token")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "node --test failed:\n{out}\n{err}");
    // Node succeeds even if the pattern matches no file.
    assert!(!out.contains("tests 0\n"), "no test ran:\n{out}");

    drop(stop);
    server.await.unwrap().unwrap();
}
