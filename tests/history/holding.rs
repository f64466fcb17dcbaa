//! Recorders that take their time.

use sluicegate::redis::lock::Loss;
use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use sluicegate::tenant::history::End;

use crate::runtime::ManualRuntime;
use crate::town::{BUDGET, Town, noon, record};

/// A way to Redis on which each request takes so many milliseconds.
struct Slow {
    to: HttpTransport,
    clock: ManualRuntime,
    ms: u64,
}

impl Transport for Slow {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.clock.advance(self.ms);
        self.to.post(body).await
    }
}

async fn town() -> Town {
    let town = Town::new().await;
    town.settle_down(&["acme", "bolt", "cord"]).await;
    for tenant in ["acme", "bolt", "cord"] {
        town.uses(tenant, 3, noon(20_000)).await;
    }
    town
}

#[tokio::test]
async fn a_slow_recorder_renews_its_lock() {
    let town = town().await;
    // Two leases of 30 s.
    let slow = Slow { to: town.server.transport(), clock: town.clock.clone(), ms: 2_000 };
    let report = record(&slow, town.clock.clone(), "slow", 60, noon(20_001)).await.unwrap();
    assert_eq!((report.end, report.tenants), (End::Done, 3));
    assert!(report.calls >= 30, "{}", report.calls);
}

#[tokio::test]
async fn a_recorder_stops_when_it_loses_its_lock() {
    let mut town = town().await;
    let slow = Slow { to: town.server.transport(), clock: town.clock.clone(), ms: 11_000 };
    let report = record(&slow, town.clock.clone(), "slow", BUDGET, noon(20_001)).await.unwrap();
    assert_eq!(report.end, End::Lost(Loss::Ended { cause: None }));
    assert_eq!(report.tenants, 0);
    town.lease_ends();
    town.records_all(noon(20_001)).await;
    for tenant in ["acme", "bolt", "cord"] {
        assert_eq!(town.days(tenant, noon(20_001)).await, (vec![("2024-10-04".to_owned(), 3)], 0));
    }
}
