//! Recorders that die in the middle.

use sluicegate::limiter::Correction;
use sluicegate::tenant::history::End;

use crate::town::{Town, noon};
use crate::wire::{Fate, Wire};

const TENANTS: [&str; 4] = ["acme", "bolt", "cord", "idle"];

/// Two days on which much happens: the first recorder dies at one request, the second at another. Whatever they had
/// done, the third finds what to do. Says whether both have died.
async fn die(town: &mut Town, fate: Fate, first: u32, second: u32) -> [bool; 2] {
    let case = format!("{fate:?} at {first}, {second}");
    town.burn();
    town.settle_down(&TENANTS).await;
    town.uses("acme", 5, noon(20_000)).await;
    town.uses("bolt", 7, noon(20_000)).await;
    town.uses("bolt", 1, noon(20_001)).await;
    let died_first = dies(town, fate, first, 20_001).await;
    assert_eq!(town.sum("bolt", noon(20_001)).await, 8, "{case}");

    // The second day: more use, a request that cost less than was thought, a reset, and a tenant's first use.
    town.records_all(noon(20_001)).await;
    town.uses("acme", 10, noon(20_001)).await;
    town.resets("bolt").await;
    town.uses("bolt", 20, noon(20_001)).await;
    town.uses("cord", 30, noon(20_001)).await;
    town.uses("acme", 100, noon(20_002)).await;
    assert_eq!(town.settles("acme", Correction::GiveBack(2), noon(20_000), noon(20_002)).await, 2);
    let died_second = dies(town, fate, second, 20_002).await;
    town.records_all(noon(20_002)).await;

    let days = |days: &[(&str, u64)]| days.iter().map(|(day, units)| ((*day).to_owned(), *units)).collect::<Vec<_>>();
    for (tenant, expected, today) in [
        ("acme", days(&[("2024-10-05", 8), ("2024-10-04", 5)]), 100),
        ("bolt", days(&[("2024-10-05", 20), ("2024-10-04", 7)]), 0),
        ("cord", days(&[("2024-10-05", 30)]), 0),
        ("idle", days(&[]), 0),
    ] {
        assert_eq!(town.days(tenant, noon(20_002)).await, (expected, today), "{tenant}: {case}");
    }
    [died_first, died_second]
}

/// One invocation that dies at this request, if it comes so far.
async fn dies(town: &mut Town, fate: Fate, at: u32, day: u64) -> bool {
    let wire = Wire::new(town.server.transport(), at, fate);
    let died = tokio::select! {
        biased;
        () = wire.struck() => true,
        report = town.records(&wire, noon(day)) => match report {
            Ok(report) => {
                assert_eq!(report.end, End::Done);
                wire.posts() > at
            }
            Err(error) => {
                assert!(fate == Fate::Fail, "{error}");
                true
            }
        },
    };
    town.lease_ends();
    died
}

/// Every request of the first day with one of the second.
async fn die_everywhere(fate: Fate) {
    let mut town = Town::new().await;
    let mut died = [0, 0];
    for at in 0.. {
        let [first, second] = die(&mut town, fate, at, at).await;
        died[0] += u32::from(first);
        died[1] += u32::from(second);
        if !first && !second {
            break;
        }
    }
    assert!(died[0] > 15 && died[1] > 18, "{died:?}");
}

#[tokio::test]
async fn usage_is_exact_when_a_recorder_dies_before_a_request() {
    die_everywhere(Fate::DieBefore).await;
}

#[tokio::test]
async fn usage_is_exact_when_a_recorder_dies_before_a_reply() {
    die_everywhere(Fate::DieAfter).await;
}

#[tokio::test]
async fn usage_is_exact_when_redis_fails() {
    die_everywhere(Fate::Fail).await;
}
