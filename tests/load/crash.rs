//! A Redis that is killed and started again on what it has written to its append-only file.

use sluicegate::limiter::CheckError;
use sluicegate::redis::RedisError;

use crate::Server;
use crate::harness::judge::judge;
use crate::harness::load::{Load, checks};

/// The client or the bridge has lost its connection, or Redis is not ready yet, or the disk that it waits for at every
/// write takes longer than the bridge does.
fn outage(error: &CheckError) -> bool {
    match error {
        CheckError::Redis(RedisError::Unreachable { .. }) => true,
        CheckError::Redis(RedisError::Server { status, .. }) => matches!(status, 502 | 504),
        CheckError::Redis(RedisError::Command { reason }) => reason.contains("LOADING"),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_acknowledged_charge() {
    const PARTS: u64 = 4;
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let checks = checks(USUAL);
    let mut load = Load::start(&server.bridge.url(), checks, PARTS, outage);
    let mut crashes = 0_usize;
    while let Some(begun) = load.marks.recv().await {
        if begun < checks {
            server.redis.kill().await;
            server.redis.restart().await.unwrap();
            crashes += 1;
        }
    }
    let summary = judge(&load.end().await).unwrap();
    println!("killed and started again {crashes} times: {summary}");
    assert!(crashes as u64 >= PARTS - 1, "{crashes}");
    assert!(summary.unknown >= crashes, "who waited for an answer at that moment cannot know");
    summary.assert_varied();
}

const USUAL: u64 = 15_000;
