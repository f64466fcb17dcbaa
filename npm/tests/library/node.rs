//! The tests that run in Node.

use std::path::PathBuf;

use sluicegate_devstack::Backends;
use sluicegate_devstack::backends::BackendOptions;
use tokio::process::Command;

use crate::support::root;

/// Runs a folder or file of tests, each file for itself: some of them flush the scripts of the Redis that they share.
async fn run(files: &[PathBuf]) {
    let backends = Backends::start("token", &BackendOptions::default()).await.unwrap();
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=1"]).args(files).kill_on_drop(true);
    for name in ["REST_URL", "UPSTASH_REDIS_REST_URL"] {
        node.env(name, backends.bridge.url());
    }
    for name in ["REST_TOKEN", "UPSTASH_REDIS_REST_TOKEN"] {
        node.env(name, "token");
    }
    let ended = node.output().await.expect("node runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ended.status.success(), "{}{}", text(&ended.stdout), text(&ended.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_limits_in_node() {
    let folder = root().join("npm/tests/node");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    run(&files).await;
}
