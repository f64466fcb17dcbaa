//! Slots that move between nodes under load.

use std::sync::atomic::Ordering;

use sluicegate::limit::{CheckRequest, LeaseId};
use sluicegate::limiter::{CheckError, Limiter, Now};
use sluicegate::redis::RedisError;
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;

use crate::harness::judge::judge;
use crate::harness::load::Load;
use crate::harness::plans::{HOT, plan, subject};
use crate::harness::traffic::START;
use crate::{info, run, start};

/// Returns whether an error is expected while slots move. While the keys of a subject are on two nodes, no node can
/// run its script, and the bridge reports `TRYAGAIN` after some retries.
fn expected_during_move(error: &CheckError) -> bool {
    matches!(error, CheckError::Redis(RedisError::Server { reason, .. }) if reason.contains("TRYAGAIN"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_is_correct_while_slots_move() {
    let (bridge, mut cluster) = start().await;
    let mut load = Load::start(&bridge.url, 6000, 3, expected_during_move);
    load.held.store(true, Ordering::Relaxed);
    load.marks.recv().await.unwrap();
    for number in 0..usize::try_from(HOT).unwrap() {
        let slot = cluster.slot(&subject(number).state_key()).await.unwrap();
        cluster.move_slot(slot, (cluster.owner(slot) + 1) % 3).await.unwrap();
        // One node loses its scripts, as after a restart.
        run::<()>(&cluster.urls()[number % 3], &["SCRIPT", "FLUSH"]);
    }
    load.held.store(false, Ordering::Relaxed);
    let summary = judge(&load.end().await).unwrap();
    println!("{HOT} slots moved: {summary}");
    assert!(summary.admitted > 1000 && summary.refused > 1000, "{summary}");
    for command in ["cmdstat_evalsha:calls=", "cmdstat_eval:calls="] {
        let calls = info(&cluster, "commandstats", command);
        assert!(calls.iter().all(|calls| *calls > 0), "{command}{calls:?}");
    }
    let redirected = info(&cluster, "errorstats", "errorstat_MOVED:count=").iter().sum::<u64>()
        + info(&cluster, "errorstats", "errorstat_ASK:count=").iter().sum::<u64>();
    assert!(redirected > 0);
}

/// While a slot moves, its old node lets a script access only keys that exist. A check must therefore not delete a sorted
/// set whose entries have all expired and create it again.
#[tokio::test]
async fn a_check_replaces_expired_entries_while_their_slot_moves() {
    const FORTY_DAYS: u64 = 40 * 24 * 3_600_000;
    let (bridge, mut cluster) = start().await;
    let limiter = Limiter::new(bridge.transport.clone(), Dialect::Plain);
    for number in 0..usize::try_from(HOT).unwrap() {
        let (subject, limits) = (subject(number), &plan(number).limits);
        for (lease, now) in [("early", START), ("late", START + FORTY_DAYS)] {
            let lease = LeaseId::new(lease).unwrap();
            let slot = cluster.slot(&subject.state_key()).await.unwrap();
            // The second check runs on the old node, after the move has begun and before a key has moved.
            let to = (cluster.owner(slot) + 1) % 3;
            let slot_move = if now > START { Some(cluster.begin_move(slot, to).await.unwrap()) } else { None };
            let request = CheckRequest { cost: 1, lease: Some(&lease) };
            let verdict = limiter.check(&subject, limits, request, Now::At(Millis::new(now))).await.unwrap();
            assert!(verdict.is_allow(), "subject {number}: {verdict:?}");
            if let Some(slot_move) = slot_move {
                slot_move.move_keys().await.unwrap();
                slot_move.finish().await.unwrap();
            }
        }
    }
}
