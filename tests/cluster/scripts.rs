//! Script loading: each node loads each script separately.

use sluicegate::limit::{CheckRequest, LeaseId, Subject};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, Settlement};
use sluicegate::redis::cas::{self, Expiry};
use sluicegate::redis::script::{self, Dialect};
use sluicegate::redis::{self, Argument, Command};
use sluicegate::time::Millis;

use crate::harness::plans::plan;
use crate::harness::traffic::START;
use crate::locks::{lock, locks, take};
use crate::{RunningBridge, info, one_name_per_node, start};

/// Runs every script once, on keys of one node.
async fn run_all(bridge: &RunningBridge, dialect: Dialect, name: &str, lock_name: &str) {
    let (subject, limits, at) = (Subject::named(name), &plan(0).limits, Millis::new(START));
    let limiter = Limiter::new(bridge.transport.clone(), dialect);
    let (lease, request) = (LeaseId::new("lease").unwrap(), RequestId::new("request").unwrap());
    let request_cost = CheckRequest { cost: 7, lease: Some(&lease) };
    assert!(limiter.check(&subject, limits, request_cost, Now::At(at)).await.unwrap().is_allow());
    let (correction, memory) = (Correction::between(7, 9), Millis::from_secs(3600));
    let settlement = Settlement { request: &request, charged_at: at, correction, memory };
    limiter.settle(&subject, limits, &settlement, Now::At(at)).await.unwrap();
    assert_eq!(limiter.release(&subject, limits, &lease).await, Ok(1));
    assert_eq!(limiter.reset(&subject, limits).await, Ok(3));
    let _ = cas::create(&bridge.transport, dialect, &subject.state_key(), "x", Expiry::Never).await.unwrap();
    let _ = cas::delete(&bridge.transport, dialect, &subject.state_key(), "x").await.unwrap();

    let (key, arguments) = (format!("{}:list", subject.state_key()), [1, 0, 1].map(Argument::Number));
    let shortlist = script::SHORTLIST.in_dialect(dialect);
    assert_eq!(redis::eval(&bridge.transport, shortlist, &[key], &arguments).await, Ok(0_u64));

    let lock = lock(bridge, dialect, lock_name);
    let guard = take(&lock, "a").await;
    let _ = guard.write("page", "x", Expiry::Never).await.unwrap();
    let _ = guard.renew().await.unwrap();
    guard.release().await.unwrap();
}

#[tokio::test]
async fn each_node_loads_each_script_once_per_flush() {
    let (bridge, cluster) = start().await;
    let subject = |number| format!("someone {number}");
    let subjects = one_name_per_node(&cluster, subject, |name| Subject::named(name).state_key()).await;
    let locks = locks(&cluster).await;
    let scripts = script::ALL.len() as u64;
    for times in 1..=2 {
        for _ in 0..3 {
            for (name, lock) in subjects.iter().zip(&locks) {
                run_all(&bridge, Dialect::Plain, name, lock).await;
            }
        }
        assert_eq!(info(&cluster, "commandstats", "cmdstat_eval:calls="), [times * scripts; 3]);
        let flush = Command::new("SCRIPT").text("FLUSH");
        assert_eq!(redis::run::<String>(&bridge.transport, flush).await.unwrap(), "OK");
    }
    // The bridge removes the flag line of the other dialect, so each node loads one script for both.
    for _ in 0..2 {
        for (name, lock) in subjects.iter().zip(&locks) {
            run_all(&bridge, Dialect::KeyLocking, name, lock).await;
        }
    }
    assert_eq!(info(&cluster, "commandstats", "cmdstat_eval:calls="), [3 * scripts; 3]);
    for (name, lock) in subjects.iter().zip(&locks) {
        run_all(&bridge, Dialect::Plain, name, lock).await;
    }
    assert_eq!(info(&cluster, "commandstats", "cmdstat_eval:calls="), [3 * scripts; 3]);
}
