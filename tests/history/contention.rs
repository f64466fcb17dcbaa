//! Recorders that run at the same time.

use sluicegate::tenant::history::End;

use crate::faulty_transport::{Fault, FaultyTransport};
use crate::fixture::{BUDGET, Fixture, noon, record};

const TENANTS: [&str; 3] = ["acme", "bolt", "cord"];

/// Pauses a recorder before its request number `at`, and resumes it when its lease has ended and another recorder has
/// recorded a later day. Returns how the paused recorder ended, or `None` if it sent fewer requests.
async fn pause(fixture: &mut Fixture, at: u32) -> Option<End> {
    fixture.flush();
    fixture.create_tenants(&TENANTS).await;
    for tenant in TENANTS {
        fixture.charge(tenant, 5, noon(20_000)).await;
        fixture.charge(tenant, 1, noon(20_001)).await;
    }
    fixture.record_all(noon(20_001)).await;
    for tenant in TENANTS {
        fixture.charge(tenant, 10, noon(20_002)).await;
    }
    let transport = FaultyTransport::new(fixture.server.transport(), at, Fault::Pause);
    let clock = fixture.clock.clone();
    let paused = record(&transport, clock.clone(), "paused", BUDGET, noon(20_002));
    let meanwhile = async {
        transport.fault_occurred().await;
        fixture.end_lease();
        // The clock of the paused recorder does not move: only the fencing token can stop it.
        for tenant in TENANTS {
            fixture.charge(tenant, 100, noon(20_003)).await;
        }
        fixture.record_all(noon(20_003)).await;
        fixture.ledgers()
    };
    tokio::pin!(paused);
    let ledgers = tokio::select! {
        biased;
        report = &mut paused => {
            assert_eq!(report.unwrap().end, End::Done, "the recorder sent fewer than {at} requests");
            return None;
        }
        ledgers = meanwhile => ledgers,
    };
    transport.resume();
    let end = paused.await.unwrap().end;
    assert_eq!(fixture.ledgers(), ledgers, "paused at {at}: {end:?}");
    for tenant in TENANTS {
        let (days, today) = fixture.days(tenant, noon(20_003)).await;
        let units: Vec<u64> = days.iter().map(|(_, units)| *units).collect();
        // If the paused recorder had not yet recorded this tenant, its day counts on the next.
        assert!([&[10, 1, 5][..], &[11, 5]].contains(&&units[..]) && today == 100, "paused at {at}: {days:?}");
    }
    Some(end)
}

#[tokio::test]
async fn a_late_recorder_is_refused_wherever_it_paused() {
    let mut fixture = Fixture::new().await;
    let mut overtaken = 0;
    for at in 0.. {
        match pause(&mut fixture, at).await {
            None => break,
            Some(End::Overtaken { .. }) => overtaken += 1,
            // The recorder was paused before it had the lock, or after it was done.
            Some(End::Done) => {}
            Some(other) => panic!("paused at {at}: {other:?}"),
        }
    }
    assert!(overtaken >= 11, "{overtaken}");
}

#[tokio::test]
async fn one_of_two_recorders_works_and_one_reports_busy() {
    let fixture = Fixture::new().await;
    fixture.create_tenants(&TENANTS).await;
    for tenant in TENANTS {
        fixture.charge(tenant, 5, noon(20_000)).await;
    }
    let transport = FaultyTransport::new(fixture.server.transport(), 6, Fault::Pause);
    let worker = record(&transport, fixture.clock.clone(), "worker", BUDGET, noon(20_001));
    let other = async {
        transport.fault_occurred().await;
        let reliable = FaultyTransport::without_fault(fixture.server.transport());
        let report = record(&reliable, fixture.clock.clone(), "other", BUDGET, noon(20_001)).await.unwrap();
        assert!(matches!(report.end, End::Busy { free_in: Some(_) }), "{report:?}");
        assert_eq!((report.tenants, report.written), (0, 0));
        transport.resume();
    };
    let (report, ()) = tokio::join!(worker, other);
    let report = report.unwrap();
    assert_eq!((report.end, report.tenants), (End::Done, 3));
    for tenant in TENANTS {
        assert_eq!(fixture.days(tenant, noon(20_001)).await, (vec![("2024-10-04".to_owned(), 5)], 0));
    }
}

#[tokio::test]
async fn many_recorders_record_everything_once() {
    let fixture = Fixture::new().await;
    fixture.create_tenants(&TENANTS).await;
    for day in 20_001..20_010 {
        for tenant in TENANTS {
            fixture.charge(tenant, day, noon(day - 1)).await;
        }
        let owners: Vec<_> = (0..8).map(|n| format!("{day}-{n}")).collect();
        let transports: Vec<_> =
            owners.iter().map(|_| FaultyTransport::without_fault(fixture.server.transport())).collect();
        let runs = transports
            .iter()
            .zip(&owners)
            .map(|(transport, owner)| record(transport, fixture.clock.clone(), owner, BUDGET, noon(day)));
        let ends = futures_util::future::join_all(runs).await;
        let count_ends =
            |wanted: fn(&End) -> bool| ends.iter().filter(|run| wanted(&run.as_ref().unwrap().end)).count();
        assert_eq!(count_ends(|end| matches!(end, End::Done | End::Busy { .. })), 8, "{ends:?}");
        assert!(count_ends(|end| *end == End::Done) >= 1);
    }
    for tenant in TENANTS {
        let (days, today) = fixture.days(tenant, noon(20_009)).await;
        assert_eq!(today, 0);
        assert_eq!(
            days.iter().map(|(_, units)| *units).collect::<Vec<_>>(),
            (20_001..20_010).rev().collect::<Vec<_>>()
        );
    }
}
