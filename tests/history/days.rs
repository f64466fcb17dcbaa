//! The units of each day, and the number of requests that a recorder sends.

use sluicegate::limiter::Correction;
use sluicegate::tenant::history::End;
use sluicegate::time::Millis;

use crate::faulty_transport::FaultyTransport;
use crate::fixture::{BUDGET, DAY, Fixture, noon, record};

fn days(days: &[(&str, u64)]) -> Vec<(String, u64)> {
    days.iter().map(|(day, units)| ((*day).to_owned(), *units)).collect()
}

#[tokio::test]
async fn history_is_correct_before_and_after_recording() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme"]).await;
    assert_eq!(fixture.days("acme", noon(20_000)).await, (vec![], 0));
    let midnight = Millis::new(20_001 * DAY);
    fixture.charge("acme", 3, noon(20_000)).await;
    fixture.charge("acme", 4, Millis::new(midnight.get() - 1)).await;
    assert_eq!(fixture.days("acme", Millis::new(midnight.get() - 1)).await, (vec![], 7));
    fixture.charge("acme", 5, midnight).await;
    for recorded in [false, true] {
        if recorded {
            fixture.record_all(noon(20_001)).await;
        }
        assert_eq!(fixture.days("acme", noon(20_001)).await, (days(&[("2024-10-04", 7)]), 5));
    }
    // Three days without recording.
    fixture.charge("acme", 6, noon(20_002)).await;
    fixture.charge("acme", 7, noon(20_003)).await;
    for recorded in [false, true] {
        if recorded {
            fixture.record_all(noon(20_004)).await;
        }
        assert_eq!(fixture.days("acme", noon(20_004)).await, (days(&[("2024-10-07", 18), ("2024-10-04", 7)]), 0));
    }
}

#[tokio::test]
async fn late_settlements_are_counted_exactly_once() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme"]).await;
    let charge = Correction::Charge;
    fixture.charge("acme", 10, noon(20_000)).await;
    assert_eq!(fixture.settle("acme", charge(5), noon(20_000), noon(20_000)).await, 5);
    assert_eq!(fixture.days("acme", noon(20_000)).await, (vec![], 15), "it counts on the day of its request");
    fixture.charge("acme", 1, noon(20_001)).await;
    assert_eq!(fixture.settle("acme", Correction::GiveBack(2), noon(20_000), noon(20_001)).await, 2);
    assert_eq!(
        fixture.days("acme", noon(20_001)).await,
        (days(&[("2024-10-04", 13)]), 1),
        "the day is not yet recorded"
    );
    fixture.record_all(noon(20_001)).await;
    assert_eq!(fixture.settle("acme", charge(6), noon(20_000), noon(20_001)).await, 6);
    let closed = days(&[("2024-10-05", 7), ("2024-10-04", 13)]);
    assert_eq!(fixture.days("acme", noon(20_002)).await, (closed, 0), "the day is already recorded");
    assert_eq!(fixture.settle("acme", Correction::GiveBack(10), noon(20_000), noon(20_002)).await, 10);
    let given_back = days(&[("2024-10-04", 10)]);
    for recorded in [false, true] {
        if recorded {
            fixture.record_all(noon(20_002)).await;
        }
        assert_eq!(fixture.days("acme", noon(20_002)).await, (given_back.clone(), 0));
    }
}

#[tokio::test]
async fn a_meter_settles_exactly() {
    const MAX: u64 = (1 << 53) - 1;
    let mut fixture = Fixture::new().await;
    fixture.charge("acme", 1, noon(20_000)).await;
    let units = MAX - 10;
    assert_eq!(fixture.settle("acme", Correction::Charge(units), noon(20_000), noon(20_000)).await, units);
    assert_eq!(fixture.days("acme", noon(20_000)).await, (vec![], units + 1));
    assert_eq!(
        fixture.settle("acme", Correction::Charge(100), noon(20_000), noon(20_000)).await,
        9,
        "only what fits is charged"
    );
    assert_eq!(fixture.days("acme", noon(20_000)).await, (vec![], MAX));
    assert_eq!(fixture.settle("acme", Correction::Charge(1), noon(20_000), noon(20_000)).await, 0, "the meter is full");
    assert_eq!(fixture.settle("acme", Correction::GiveBack(MAX - 3), noon(20_000), noon(20_000)).await, MAX - 3);
    assert_eq!(fixture.days("acme", noon(20_001)).await, (days(&[("2024-10-04", 3)]), 0));
}

#[tokio::test]
async fn a_reset_keeps_recorded_days() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme"]).await;
    fixture.charge("acme", 7, noon(20_000)).await;
    fixture.record_all(noon(20_001)).await;
    fixture.charge("acme", 2, noon(20_001)).await;
    fixture.reset("acme").await;
    assert_eq!(
        fixture.days("acme", noon(20_001)).await,
        (days(&[("2024-10-04", 7)]), 0),
        "the 2 units of today are reset"
    );
    // More units than before the reset: the meters alone do not show that there was a reset.
    fixture.charge("acme", 50, noon(20_001)).await;
    let closed = days(&[("2024-10-05", 50), ("2024-10-04", 7)]);
    assert_eq!(fixture.days("acme", noon(20_002)).await, (closed.clone(), 0));
    fixture.record_all(noon(20_002)).await;
    fixture.record_all(noon(20_003)).await;
    assert_eq!(fixture.days("acme", noon(20_003)).await, (closed, 0));
}

#[tokio::test]
async fn around_midnight_nothing_is_recorded() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme"]).await;
    fixture.charge("acme", 7, noon(20_000)).await;
    let midnight = 20_001 * DAY;
    for (now, end) in [
        (midnight - 60_000, End::TooClose),
        (midnight - 1, End::TooClose),
        (midnight, End::TooClose),
        (midnight + 300_000 - 1, End::TooClose),
        (midnight + 300_000, End::Done),
    ] {
        let transport = FaultyTransport::without_fault(fixture.server.transport());
        let report = fixture.record(&transport, Millis::new(now)).await.unwrap();
        assert_eq!((report.calls == 0, report.end), (end == End::TooClose, end), "{now}");
    }
}

#[tokio::test]
async fn a_round_of_many_tenants_proceeds_in_small_steps() {
    let mut fixture = Fixture::new().await;
    let tenants: Vec<String> = (0..35).map(|n| format!("tenant-{n:02}")).collect();
    let names: Vec<&str> = tenants.iter().map(String::as_str).collect();
    fixture.create_tenants(&names).await;
    for (day, first) in [(20_001, true), (20_002, false)] {
        for (n, tenant) in (1..).zip(&names) {
            fixture.charge(tenant, n, noon(day - 1)).await;
        }
        fixture.server.run::<()>(&["SCRIPT", "FLUSH"]);
        let reports = fixture.record_all(noon(day)).await;
        assert!(reports.iter().all(|report| report.calls <= BUDGET), "{reports:?}");
        assert_eq!(reports.iter().map(|report| report.tenants).sum::<u64>(), 35, "each tenant is recorded once");
        let per_run = if first { 5 } else { 9 };
        let (_, full) = reports.split_last().unwrap();
        assert!(full.iter().all(|report| report.tenants >= per_run && report.end == End::Paused), "{reports:?}");
        for (n, tenant) in (1..).zip(&names) {
            let (days, today) = fixture.days(tenant, noon(day)).await;
            assert_eq!((days[0].1, today), (n, 0), "{tenant}");
        }
    }
    let transport = FaultyTransport::without_fault(fixture.server.transport());
    let report = fixture.record(&transport, noon(20_002)).await.unwrap();
    assert_eq!((report.end, report.calls), (End::Done, 1), "no more work on the same day");
}

#[tokio::test]
async fn any_call_budget_is_respected() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme", "bolt", "cord"]).await;
    for calls in 0..60 {
        let day = 20_001 + u64::from(calls);
        for tenant in ["acme", "bolt", "cord"] {
            fixture.charge(tenant, 1, noon(day - 1)).await;
        }
        fixture.server.run::<()>(&["SCRIPT", "FLUSH"]);
        let transport = FaultyTransport::without_fault(fixture.server.transport());
        let report =
            record(&transport, fixture.clock.clone(), &format!("run-{calls}"), calls, noon(day)).await.unwrap();
        assert_eq!(report.calls, transport.posts());
        // Below the minimum budget, the recorder only finds that there is work to do.
        assert!(report.calls <= calls.max(6), "{calls}: {report:?}");
        assert!(calls < 25 || report.tenants > 0, "{calls}: {report:?}");
    }
    for tenant in ["acme", "bolt", "cord"] {
        assert_eq!(fixture.total(tenant, noon(20_060)).await, 60);
    }
}

#[tokio::test]
async fn an_unreadable_ledger_blocks_no_other_tenant() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme", "bolt"]).await;
    let key = "sg:1:{lock:usage:history}:value:acme";
    fixture.server.run::<()>(&["SET", key, "{}"]);
    for tenant in ["acme", "bolt"] {
        fixture.charge(tenant, 3, noon(20_000)).await;
    }
    let reports = fixture.record_all(noon(20_001)).await;
    assert_eq!(reports[0].unreadable.iter().map(ToString::to_string).collect::<Vec<_>>(), ["acme"]);
    assert_eq!(fixture.days("bolt", noon(20_001)).await, (days(&[("2024-10-04", 3)]), 0));
    assert_eq!(fixture.server.run::<String>(&["GET", key]), "{}");
}

#[tokio::test]
async fn everything_stored_of_a_tenant_expires() {
    let mut fixture = Fixture::new().await;
    fixture.create_tenants(&["acme"]).await;
    fixture.charge("acme", 3, noon(20_000)).await;
    fixture.record_all(noon(20_001)).await;
    for (key, _) in fixture.ledgers() {
        let ttl: u64 = fixture.server.run(&["PTTL", &key]);
        assert!((90 * DAY..=91 * DAY).contains(&ttl), "{key}: {ttl}");
    }
    for key in ["sg:1:{acme}", "sg:1:{acme}:life"] {
        assert!(fixture.server.run::<i64>(&["PTTL", key]) > 0, "{key}");
    }
    // An idle tenant's ledger is renewed as long as a recorder runs.
    for day in 20_002..20_009 {
        fixture.record_all(noon(day)).await;
        let ttl: u64 = fixture.server.run(&["PTTL", "sg:1:{lock:usage:history}:value:acme"]);
        let written = ttl > 90 * DAY + DAY / 2;
        fixture.server.run::<i64>(&["PEXPIRE", "sg:1:{lock:usage:history}:value:acme", &(90 * DAY).to_string()]);
        assert_eq!(written, day == 20_002 || day == 20_008, "{day}");
    }
    // No recorder ran, and the ledger has expired: usage until then is lost, and later usage is counted correctly.
    fixture.charge("acme", 9, noon(20_100)).await;
    fixture.server.run::<i64>(&["DEL", "sg:1:{lock:usage:history}:value:acme"]);
    fixture.record_all(noon(20_101)).await;
    fixture.charge("acme", 2, noon(20_101)).await;
    assert_eq!(fixture.days("acme", noon(20_102)).await, (days(&[("2025-01-13", 2)]), 0));
}
