//! A Redis that runs all the time, but forgets its scripts again and again.

use crate::harness::judge::judge;
use crate::harness::load::{Load, checks};
use crate::harness::plans::{plan, subject};
use crate::{Server, nothing};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_is_correct_while_scripts_are_flushed() {
    const PARTS: u64 = 20;
    let server = Server::start(&[]).await;
    let checks = checks(USUAL);
    let mut load = Load::start(&server.bridge.url(), checks, PARTS, nothing);
    let mut flushes = 0;
    while load.marks.recv().await.is_some() {
        server.run::<()>(&["SCRIPT", "FLUSH"]);
        flushes += 1;
    }
    let summary = judge(&load.end().await).unwrap();
    println!("scripts forgotten {flushes} times: {summary}");
    assert!(summary.checks as u64 >= checks);
    assert_eq!((summary.unknown, summary.executed), (0, 0));
    summary.assert_varied();
    // Half of the clients may go first each time; how many more, chance decides.
    assert!(flushes >= PARTS - 1 && server.count("eval") >= flushes, "{flushes}, {}", server.count("eval"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_loses_a_unit_is_detected() {
    let server = Server::start(&[]).await;
    let mut load = Load::start(&server.bridge.url(), 4000, 4, nothing);
    load.marks.recv().await.unwrap();
    // The youngest entry of the log of a hot subject.
    let (name, key) = (plan(0).limits[1].name(), subject(0).log_key(plan(0).limits[1].name()));
    let removed: Vec<String> = server.run(&["ZPOPMAX", &key]);
    assert_eq!(removed.len(), 2, "{name}");
    let difference = judge(&load.end().await).unwrap_err();
    assert!(difference.starts_with("subject 0: expected ["), "{difference}");
}

const USUAL: u64 = 24_000;
