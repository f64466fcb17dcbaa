//! The demo page in headless Chromium, against the real Worker.

use serde_json::json;
use tokio::process::Command;

use crate::support::{limits, stack};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_page_shows_what_the_worker_answers() {
    let stack =
        stack(limits(&json!([{ "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" }]))).await;
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(format!("{root}/node_modules/.bin/node"))
        .args(["--test", "--test-concurrency=1", "www/tests/page.e2e.mjs"])
        .current_dir(root)
        .env("SLUICEGATE_URL", format!("{}/_sluicegate/demo/", stack.worker.url()))
        .env("ARTIFACTS", format!("{root}/artifacts"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("node is installed (run `make setup`)");
    stack.stop().await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
}
