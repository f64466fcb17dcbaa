//! Scripts, which each node loads for itself.

use sluicegate::limit::{CheckRequest, LeaseId, Subject};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, Settlement};
use sluicegate::redis::cas::{self, Expiry};
use sluicegate::redis::script::{self, Dialect};
use sluicegate::redis::{self, Command};
use sluicegate::time::Millis;

use crate::harness::plans::plan;
use crate::harness::traffic::START;
use crate::locks::{lock, locks, take};
use crate::{Gate, info, name_of_each_node, start};

/// Runs every script once, on keys of one node.
async fn run_all(gate: &Gate, dialect: Dialect, name: &str, lock_name: &str) {
    let (subject, limits, at) = (Subject::named(name), &plan(0).limits, Millis::new(START));
    let limiter = Limiter::new(gate.transport.clone(), dialect);
    let (lease, request) = (LeaseId::new("lease").unwrap(), RequestId::new("request").unwrap());
    let asked = CheckRequest { cost: 7, lease: Some(&lease) };
    assert!(limiter.check(&subject, limits, asked, Now::At(at)).await.unwrap().is_allow());
    let (correction, memory) = (Correction::between(7, 9), Millis::from_secs(3600));
    let settlement = Settlement { request: &request, charged_at: at, correction, memory };
    limiter.settle(&subject, limits, &settlement, Now::At(at)).await.unwrap();
    assert_eq!(limiter.release(&subject, limits, &lease).await, Ok(1));
    assert_eq!(limiter.reset(&subject, limits).await, Ok(3));
    let _ = cas::create(&gate.transport, dialect, &subject.state_key(), "x", Expiry::Never).await.unwrap();
    let _ = cas::delete(&gate.transport, dialect, &subject.state_key(), "x").await.unwrap();

    let lock = lock(gate, dialect, lock_name);
    let guard = take(&lock, "a").await;
    let _ = guard.write("page", "x", Expiry::Never).await.unwrap();
    let _ = guard.renew().await.unwrap();
    guard.release().await.unwrap();
}

#[tokio::test]
async fn each_node_loads_each_script_once_per_flush() {
    let (gate, cluster) = start().await;
    let subject = |number| format!("someone {number}");
    let subjects = name_of_each_node(&cluster, subject, |name| Subject::named(name).state_key()).await;
    let locks = locks(&cluster).await;
    let scripts = script::ALL.len() as u64;
    for times in 1..=2 {
        for _ in 0..3 {
            for (name, lock) in subjects.iter().zip(&locks) {
                run_all(&gate, Dialect::Plain, name, lock).await;
            }
        }
        assert_eq!(info(&cluster, "commandstats", "cmdstat_eval:calls="), [times * scripts; 3]);
        let flush = Command::new("SCRIPT").text("FLUSH");
        assert_eq!(redis::run::<String>(&gate.transport, flush).await.unwrap(), "OK");
    }
    // In the other spelling it is the same script to a Redis that does not know the flag.
    for _ in 0..2 {
        for (name, lock) in subjects.iter().zip(&locks) {
            run_all(&gate, Dialect::KeyLocking, name, lock).await;
        }
    }
    assert_eq!(info(&cluster, "commandstats", "cmdstat_eval:calls="), [3 * scripts; 3]);
    for (name, lock) in subjects.iter().zip(&locks) {
        run_all(&gate, Dialect::Plain, name, lock).await;
    }
    assert_eq!(info(&cluster, "commandstats", "cmdstat_eval:calls="), [3 * scripts; 3]);
}
