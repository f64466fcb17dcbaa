//! Recorders that die before they are done.

use sluicegate::limiter::Correction;
use sluicegate::tenant::history::End;

use crate::faulty_transport::{Fault, FaultyTransport};
use crate::fixture::{Fixture, noon};

const TENANTS: [&str; 4] = ["acme", "bolt", "cord", "idle"];

/// Simulates two days with many events. The first recorder has the fault at request `first`, the second at request
/// `second`, and the third must complete their work. Returns whether each of the two had the fault.
async fn two_days(fixture: &mut Fixture, fault: Fault, first: u32, second: u32) -> [bool; 2] {
    let case = format!("{fault:?} at {first}, {second}");
    fixture.flush();
    fixture.create_tenants(&TENANTS).await;
    fixture.charge("acme", 5, noon(20_000)).await;
    fixture.charge("bolt", 7, noon(20_000)).await;
    fixture.charge("bolt", 1, noon(20_001)).await;
    let first_fault = run_with_fault(fixture, fault, first, 20_001).await;
    assert_eq!(fixture.total("bolt", noon(20_001)).await, 8, "{case}");

    // The second day: more usage, a settlement that gives back units, a reset, and a tenant's first usage.
    fixture.record_all(noon(20_001)).await;
    fixture.charge("acme", 10, noon(20_001)).await;
    fixture.reset("bolt").await;
    fixture.charge("bolt", 20, noon(20_001)).await;
    fixture.charge("cord", 30, noon(20_001)).await;
    fixture.charge("acme", 100, noon(20_002)).await;
    assert_eq!(fixture.settle("acme", Correction::GiveBack(2), noon(20_000), noon(20_002)).await, 2);
    let second_fault = run_with_fault(fixture, fault, second, 20_002).await;
    fixture.record_all(noon(20_002)).await;

    let days = |days: &[(&str, u64)]| days.iter().map(|(day, units)| ((*day).to_owned(), *units)).collect::<Vec<_>>();
    for (tenant, expected, today) in [
        ("acme", days(&[("2024-10-05", 8), ("2024-10-04", 5)]), 100),
        ("bolt", days(&[("2024-10-05", 20), ("2024-10-04", 7)]), 0),
        ("cord", days(&[("2024-10-05", 30)]), 0),
        ("idle", days(&[]), 0),
    ] {
        assert_eq!(fixture.days(tenant, noon(20_002)).await, (expected, today), "{tenant}: {case}");
    }
    [first_fault, second_fault]
}

/// Runs one recorder with the fault at request `at`. Returns whether it sent that request.
async fn run_with_fault(fixture: &mut Fixture, fault: Fault, at: u32, day: u64) -> bool {
    let transport = FaultyTransport::new(fixture.server.transport(), at, fault);
    let faulted = tokio::select! {
        biased;
        () = transport.fault_occurred() => true,
        report = fixture.record(&transport, noon(day)) => match report {
            Ok(report) => {
                assert_eq!(report.end, End::Done);
                transport.posts() > at
            }
            Err(error) => {
                assert!(fault == Fault::Fail, "{error}");
                true
            }
        },
    };
    fixture.end_lease();
    faulted
}

/// Tests the fault at each request in turn, at the same one on both days.
async fn test_every_request(fault: Fault) {
    let mut fixture = Fixture::new().await;
    let mut faults = [0, 0];
    for at in 0.. {
        let [first, second] = two_days(&mut fixture, fault, at, at).await;
        faults[0] += u32::from(first);
        faults[1] += u32::from(second);
        if !first && !second {
            break;
        }
    }
    assert!(faults[0] > 15 && faults[1] > 18, "{faults:?}");
}

#[tokio::test]
async fn usage_is_exact_when_a_recorder_dies_before_a_request() {
    test_every_request(Fault::DieBefore).await;
}

#[tokio::test]
async fn usage_is_exact_when_a_recorder_dies_before_a_reply() {
    test_every_request(Fault::DieAfter).await;
}

#[tokio::test]
async fn usage_is_exact_when_redis_fails() {
    test_every_request(Fault::Fail).await;
}
