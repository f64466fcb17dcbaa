//! Recorders that meet.

use sluicegate::tenant::history::End;

use crate::town::{BUDGET, Town, noon, record};
use crate::wire::{Fate, Wire};

const TENANTS: [&str; 3] = ["acme", "bolt", "cord"];

/// A recorder is paused before its request number `at`, and wakes up when its lease is over and another has recorded
/// a later day. How it ended, if it was paused at all.
async fn pause(town: &mut Town, at: u32) -> Option<End> {
    town.burn();
    town.settle_down(&TENANTS).await;
    for tenant in TENANTS {
        town.uses(tenant, 5, noon(20_000)).await;
        town.uses(tenant, 1, noon(20_001)).await;
    }
    town.records_all(noon(20_001)).await;
    for tenant in TENANTS {
        town.uses(tenant, 10, noon(20_002)).await;
    }
    let wire = Wire::new(town.server.transport(), at, Fate::Pause);
    let clock = town.clock.clone();
    let sleeper = record(&wire, clock.clone(), "sleeper", BUDGET, noon(20_002));
    let meanwhile = async {
        wire.struck().await;
        town.lease_ends();
        // The sleeper's own clock stands still: only the fence can stop it.
        for tenant in TENANTS {
            town.uses(tenant, 100, noon(20_003)).await;
        }
        town.records_all(noon(20_003)).await;
        town.ledgers()
    };
    tokio::pin!(sleeper);
    let ledgers = tokio::select! {
        biased;
        report = &mut sleeper => {
            assert_eq!(report.unwrap().end, End::Done, "request {at} does not come");
            return None;
        }
        ledgers = meanwhile => ledgers,
    };
    wire.go_on();
    let end = sleeper.await.unwrap().end;
    assert_eq!(town.ledgers(), ledgers, "paused at {at}: {end:?}");
    for tenant in TENANTS {
        let (days, today) = town.days(tenant, noon(20_003)).await;
        let units: Vec<u64> = days.iter().map(|(_, units)| *units).collect();
        // If the sleeper had not come to this tenant, its day counts on the next.
        assert!([&[10, 1, 5][..], &[11, 5]].contains(&&units[..]) && today == 100, "paused at {at}: {days:?}");
    }
    Some(end)
}

#[tokio::test]
async fn a_late_recorder_is_refused_wherever_it_paused() {
    let mut town = Town::new().await;
    let mut overtaken = 0;
    for at in 0.. {
        match pause(&mut town, at).await {
            None => break,
            Some(End::Overtaken { .. }) => overtaken += 1,
            // It slept before it had the lock, or when all was done.
            Some(End::Done) => {}
            Some(other) => panic!("paused at {at}: {other:?}"),
        }
    }
    assert!(overtaken >= 11, "{overtaken}");
}

#[tokio::test]
async fn one_of_two_recorders_works_and_one_reports_busy() {
    let town = Town::new().await;
    town.settle_down(&TENANTS).await;
    for tenant in TENANTS {
        town.uses(tenant, 5, noon(20_000)).await;
    }
    let wire = Wire::new(town.server.transport(), 6, Fate::Pause);
    let worker = record(&wire, town.clock.clone(), "worker", BUDGET, noon(20_001));
    let other = async {
        wire.struck().await;
        let whole = Wire::whole(town.server.transport());
        let report = record(&whole, town.clock.clone(), "other", BUDGET, noon(20_001)).await.unwrap();
        assert!(matches!(report.end, End::Busy { free_in: Some(_) }), "{report:?}");
        assert_eq!((report.tenants, report.written), (0, 0));
        wire.go_on();
    };
    let (report, ()) = tokio::join!(worker, other);
    let report = report.unwrap();
    assert_eq!((report.end, report.tenants), (End::Done, 3));
    for tenant in TENANTS {
        assert_eq!(town.days(tenant, noon(20_001)).await, (vec![("2024-10-04".to_owned(), 5)], 0));
    }
}

#[tokio::test]
async fn many_recorders_record_everything_once() {
    let town = Town::new().await;
    town.settle_down(&TENANTS).await;
    for day in 20_001..20_010 {
        for tenant in TENANTS {
            town.uses(tenant, day, noon(day - 1)).await;
        }
        let owners: Vec<_> = (0..8).map(|n| format!("{day}-{n}")).collect();
        let wires: Vec<_> = owners.iter().map(|_| Wire::whole(town.server.transport())).collect();
        let runs =
            wires.iter().zip(&owners).map(|(wire, owner)| record(wire, town.clock.clone(), owner, BUDGET, noon(day)));
        let ends = futures_util::future::join_all(runs).await;
        let ended = |wanted: fn(&End) -> bool| ends.iter().filter(|run| wanted(&run.as_ref().unwrap().end)).count();
        assert_eq!(ended(|end| matches!(end, End::Done | End::Busy { .. })), 8, "{ends:?}");
        assert!(ended(|end| *end == End::Done) >= 1);
    }
    for tenant in TENANTS {
        let (days, today) = town.days(tenant, noon(20_009)).await;
        assert_eq!(today, 0);
        assert_eq!(
            days.iter().map(|(_, units)| *units).collect::<Vec<_>>(),
            (20_001..20_010).rev().collect::<Vec<_>>()
        );
    }
}
