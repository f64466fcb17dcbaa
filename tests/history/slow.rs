//! Recorders on a slow connection.

use sluicegate::redis::lock::Loss;
use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use sluicegate::tenant::history::End;

use crate::fixture::{BUDGET, Fixture, noon, record};
use crate::runtime::ManualRuntime;

/// A transport on which each request takes `ms` milliseconds.
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

/// Returns three tenants, each with 3 units used.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.create_tenants(&["acme", "bolt", "cord"]).await;
    for tenant in ["acme", "bolt", "cord"] {
        fixture.charge(tenant, 3, noon(20_000)).await;
    }
    fixture
}

#[tokio::test]
async fn a_slow_recorder_renews_its_lock() {
    let fixture = fixture().await;
    // 30 requests or more take 60 s: two leases.
    let slow = Slow { to: fixture.server.transport(), clock: fixture.clock.clone(), ms: 2_000 };
    let report = record(&slow, fixture.clock.clone(), "slow", 60, noon(20_001)).await.unwrap();
    assert_eq!((report.end, report.tenants), (End::Done, 3));
    assert!(report.calls >= 30, "{}", report.calls);
}

#[tokio::test]
async fn a_recorder_stops_when_it_loses_its_lock() {
    let mut fixture = fixture().await;
    let slow = Slow { to: fixture.server.transport(), clock: fixture.clock.clone(), ms: 11_000 };
    let report = record(&slow, fixture.clock.clone(), "slow", BUDGET, noon(20_001)).await.unwrap();
    assert_eq!(report.end, End::Lost(Loss::Ended { cause: None }));
    assert_eq!(report.tenants, 0);
    fixture.end_lease();
    fixture.record_all(noon(20_001)).await;
    for tenant in ["acme", "bolt", "cord"] {
        assert_eq!(fixture.days(tenant, noon(20_001)).await, (vec![("2024-10-04".to_owned(), 3)], 0));
    }
}
