//! Compares all operations of the limiter on a cluster with the same operations on a single Redis.

use std::collections::BTreeSet;

use sluicegate::limit::{CheckRequest, LeaseId, Limit, Subject, Verdict};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::redis::HttpTransport;
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;
use sluicegate_bridge::{Backend, RedisServer};

use crate::harness::plans::{plan, subject};
use crate::harness::random::Random;
use crate::harness::traffic::START;
use crate::{RunningBridge, info, run, start};

/// An operation of the limiter.
#[derive(Debug)]
enum Operation {
    Check(Vec<(u64, LeaseId)>),
    Peek,
    Settle(RequestId, Correction),
    Release(LeaseId),
    Reset,
}

/// The result of an operation.
#[derive(Debug, PartialEq)]
enum Outcome {
    Verdicts(Vec<Verdict>),
    Settled(SettleOutcome),
    Count(u64),
}

impl Operation {
    /// Returns a random operation. It uses few ids, so that some operations release active leases or repeat
    /// settlements.
    fn any(random: &mut Random) -> Self {
        let lease = |random: &mut Random| LeaseId::new(&format!("lease-{}", random.below(12))).unwrap();
        let requests = |random: &mut Random, size| (0..size).map(|_| (random.within(0, 12), lease(random))).collect();
        match random.below(100) {
            0..40 => Operation::Check(requests(random, 1)),
            40..55 => {
                let size = random.within(2, 12);
                Operation::Check(requests(random, size))
            }
            55..63 => Operation::Peek,
            63..80 => {
                let request = RequestId::new(&format!("request-{}", random.below(8))).unwrap();
                Operation::Settle(request, Correction::between(random.below(20), random.below(20)))
            }
            80..97 => Operation::Release(lease(random)),
            _ => Operation::Reset,
        }
    }

    async fn run(&self, limiter: &Limiter<HttpTransport>, subject: &Subject, limits: &[Limit], now: u64) -> Outcome {
        let at = Now::At(Millis::new(now));
        match self {
            Operation::Check(requests) => {
                let requests = requests.iter().map(|(cost, lease)| CheckRequest { cost: *cost, lease: Some(lease) });
                Outcome::Verdicts(limiter.check_batch(subject, limits, requests, at).await.unwrap())
            }
            Operation::Peek => Outcome::Verdicts(vec![limiter.peek(subject, limits, at).await.unwrap()]),
            Operation::Settle(request, correction) => {
                let (charged_at, memory) = (Millis::new(now - 60_000), Millis::from_secs(3600));
                let settlement = Settlement { request, charged_at, correction: *correction, memory };
                Outcome::Settled(limiter.settle(subject, limits, &settlement, at).await.unwrap())
            }
            Operation::Release(lease) => Outcome::Count(limiter.release(subject, limits, lease).await.unwrap()),
            Operation::Reset => Outcome::Count(limiter.reset(subject, limits).await.unwrap()),
        }
    }
}

#[tokio::test]
async fn every_operation_replies_as_on_a_single_redis() {
    const SUBJECTS: usize = 24;
    let (bridge, cluster) = start().await;
    let redis = RedisServer::start().await.unwrap();
    let single = RunningBridge::over(Backend::Redis(redis.url())).await;
    let mut owners = BTreeSet::new();
    for number in 0..SUBJECTS {
        owners.insert(cluster.owner(cluster.slot(&subject(number).state_key()).await.unwrap()));
    }
    assert_eq!(owners.len(), 3, "every node owns some subjects");

    let (mut random, mut now) = (Random::new(3), START);
    let (mut admitted, mut refused, mut repeated, mut released) = (0, 0, 0, 0);
    for _ in 0..1500 {
        now += random.below(60_000);
        let number = usize::try_from(random.below(SUBJECTS as u64)).unwrap();
        let dialect = if random.chance(50) { Dialect::Plain } else { Dialect::KeyLocking };
        let (subject, limits, operation) = (subject(number), &plan(number).limits, Operation::any(&mut random));
        let on_cluster = operation.run(&Limiter::new(bridge.transport.clone(), dialect), &subject, limits, now).await;
        let on_single = operation.run(&Limiter::new(single.transport.clone(), dialect), &subject, limits, now).await;
        assert_eq!(on_cluster, on_single, "subject {number}: {operation:?}");
        match on_cluster {
            Outcome::Verdicts(verdicts) => {
                admitted += verdicts.iter().filter(|verdict| verdict.is_allow()).count();
                refused += verdicts.iter().filter(|verdict| !verdict.is_allow()).count();
            }
            Outcome::Settled(outcome) => repeated += usize::from(outcome == SettleOutcome::Repeat),
            Outcome::Count(count) => released += usize::from(count > 0),
        }
    }
    let counts = (admitted, refused, repeated, released);
    assert!(admitted > 500 && refused > 500 && repeated > 30 && released > 50, "{counts:?}");
    let keys: u64 = cluster.urls().iter().map(|url| run::<u64>(url, &["DBSIZE"])).sum();
    assert_eq!(keys, run::<u64>(&redis.url(), &["DBSIZE"]), "both have the same number of keys");
    for error in ["CROSSSLOT", "MOVED", "ASK", "TRYAGAIN"] {
        assert_eq!(info(&cluster, "errorstats", &format!("errorstat_{error}:count=")), [0; 3], "{error}");
    }
}
