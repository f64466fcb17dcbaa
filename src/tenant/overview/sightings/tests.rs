use proptest::prelude::*;

use super::*;
use crate::limit::{Limit, LimitName, Retry, Window};

/// 2026-11-23T12:00:00Z.
const NOON: Millis = Millis::new(1_795_435_200_000);

fn id(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn at(ms: u64) -> Millis {
    NOON.saturating_add(Millis::new(ms))
}

/// A verdict of a limit of 100 units a day, of which so many are used; a refusal if all are.
fn verdict(used: u64) -> Verdict {
    let limit = Limit::fixed_window(LimitName::new("day").unwrap(), 100, Window::Span(Millis::DAY)).unwrap();
    let remaining = 100 - used;
    let budgets = vec![Budget { limit, remaining, retry: Retry::Now, reset: Millis::from_secs(43_200) }];
    if remaining > 0 { Verdict::Allow(budgets) } else { Verdict::Deny(budgets) }
}

fn note(sightings: &mut Sightings, tenant: &str, units: u64, used: u64, now: Millis) {
    let usage = Usage { day: units, total: units };
    sightings.note(&id(tenant), &verdict(used), usage, Decider::Redis, now);
}

/// Takes and ends the report that is due, and returns the units, the refusals and the share of each tenant.
fn report(sightings: &mut Sightings, threshold: Option<u64>, now: Millis) -> Vec<(String, u64, u64, u64)> {
    if !sightings.begin_report(now) {
        return Vec::new();
    }
    assert!(!sightings.begin_report(now), "one report at a time");
    let report = sightings.take_report(now);
    sightings.end_report(&report, threshold, now);
    let entry = |tenant: &ReportedTenant| (tenant.id.to_string(), tenant.units, tenant.refused, tenant.share);
    let mut tenants: Vec<_> = report.tenants.iter().map(entry).collect();
    tenants.sort();
    tenants
}

fn reported(name: &str, units: u64, refused: u64, share: u64) -> Vec<(String, u64, u64, u64)> {
    vec![(name.to_owned(), units, refused, share)]
}

#[test]
fn reports_grow_with_the_logarithm_of_the_units() {
    let mut sightings = Sightings::default();
    let mut reports = Vec::new();
    for units in 1..=100_000 {
        note(&mut sightings, "acme", units, 0, NOON);
        reports.extend(report(&mut sightings, Some(0), NOON));
    }
    assert!(reports.len() < 100, "{}", reports.len());
    // At each moment, the shortlist knows at least eight ninths.
    for pair in reports.windows(2) {
        assert!(pair[1].1 <= pair[0].1 + pair[0].1 / 8 + 1, "{pair:?}");
    }
    assert_eq!(reports[..3].iter().map(|tenant| tenant.1).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn tenant_near_a_limit_is_reported_when_it_gets_nearer() {
    let mut sightings = Sightings::default();
    note(&mut sightings, "acme", 1000, 79, NOON);
    assert_eq!(report(&mut sightings, Some(5000), NOON), reported("acme", 1000, 0, 0));
    for (used, expected) in [(80, true), (84, false), (85, true), (82, false), (89, false), (90, true), (100, true)] {
        note(&mut sightings, "acme", 1000, used, NOON);
        let share = if expected { used } else { continue };
        let refused = u64::from(used == 100);
        assert_eq!(report(&mut sightings, Some(5000), NOON), reported("acme", 1000, refused, share), "{used}");
    }
    assert_eq!(report(&mut sightings, Some(5000), NOON), []);
}

#[test]
fn units_at_or_below_the_threshold_are_not_reported() {
    let mut sightings = Sightings::default();
    note(&mut sightings, "first", 1, 0, NOON);
    assert_eq!(report(&mut sightings, Some(500), NOON), reported("first", 1, 0, 0), "the threshold is unknown");
    note(&mut sightings, "small", 500, 0, NOON);
    assert_eq!(report(&mut sightings, Some(500), NOON), []);
    note(&mut sightings, "large", 501, 0, NOON);
    assert_eq!(report(&mut sightings, Some(500), NOON), reported("large", 501, 0, 0));
    let much_later = NOON.saturating_add(THRESHOLD_LASTS);
    note(&mut sightings, "small", 500, 0, much_later);
    let names: Vec<_> = report(&mut sightings, Some(500), much_later).into_iter().map(|tenant| tenant.0).collect();
    assert_eq!(names, ["small"], "places may be free again");
}

#[test]
fn remembered_refusals_count_as_refused_only() {
    let mut sightings = Sightings::default();
    note(&mut sightings, "acme", 100, 100, NOON);
    assert_eq!(report(&mut sightings, Some(0), NOON), reported("acme", 100, 1, 100));
    for _ in 0..1000 {
        let old = Usage { day: 7, total: 7 };
        sightings.note(&id("acme"), &verdict(100), old, Decider::Refusal, at(1));
    }
    assert_eq!(report(&mut sightings, Some(0), at(2)), reported("acme", 100, 1000, 100), "since the last report");
}

#[test]
fn new_day_starts_over() {
    let mut sightings = Sightings::default();
    note(&mut sightings, "acme", 1000, 0, NOON);
    assert_eq!(report(&mut sightings, Some(900), NOON), reported("acme", 1000, 0, 0));
    let tomorrow = NOON.saturating_add(Millis::DAY);
    note(&mut sightings, "acme", 1, 0, tomorrow);
    assert_eq!(report(&mut sightings, Some(0), tomorrow), reported("acme", 1, 0, 0));
}

#[test]
fn failed_report_is_repeated_without_its_refusals() {
    let mut sightings = Sightings::default();
    note(&mut sightings, "acme", 100, 100, NOON);
    assert_eq!(report(&mut sightings, None, NOON), reported("acme", 100, 1, 100));
    assert_eq!(report(&mut sightings, Some(0), NOON), reported("acme", 100, 0, 100));
    assert_eq!(report(&mut sightings, Some(0), NOON), []);
}

#[test]
fn report_that_was_lost_does_not_stop_others() {
    let mut sightings = Sightings::default();
    note(&mut sightings, "acme", 1, 0, NOON);
    assert!(sightings.begin_report(NOON));
    assert!(!sightings.begin_report(at(29_999)));
    assert!(sightings.begin_report(at(30_000)));
}

#[test]
fn memory_and_reports_are_bounded() {
    let mut sightings = Sightings::default();
    for tenant in 0..3000 {
        note(&mut sightings, &format!("t{tenant}"), 1, 0, NOON);
    }
    assert_eq!(sightings.tenants.len(), MAX_TENANTS);
    let mut reports = Vec::new();
    while sightings.begin_report(NOON) {
        let report = sightings.take_report(NOON);
        reports.push(report.tenants.len());
        sightings.end_report(&report, Some(0), NOON);
    }
    assert_eq!(reports, [MAX_REPORTED; MAX_TENANTS / MAX_REPORTED]);
    note(&mut sightings, "one-more", 1, 0, NOON);
    assert_eq!(sightings.tenants.len(), 1, "those without news make room");
}

proptest! {
    /// What the shortlist was told is never far below what the isolate has seen.
    #[test]
    fn what_is_told_is_at_most_an_eighth_behind(steps in prop::collection::vec((0_u64..5000, 0_u64..=100), 1..60)) {
        let mut sightings = Sightings::default();
        let (mut units, mut told, mut told_share, mut refused, mut told_refused) = (0, 0, 0, 0, 0);
        for (more, used) in steps {
            units += more;
            refused += u64::from(used == 100);
            note(&mut sightings, "acme", units, used, NOON);
            for (_, units, refusals, share) in report(&mut sightings, Some(0), NOON) {
                (told, told_share) = (units, share);
                told_refused += refusals;
            }
            prop_assert!(told <= units && units <= told + told / 8, "{told} of {units}");
            prop_assert!(told_refused <= refused && refused <= told_refused + told_refused / 8);
            prop_assert!(used < NEAR || used < told_share + FURTHER, "{told_share} of {used}");
        }
    }
}
