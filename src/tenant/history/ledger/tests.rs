use proptest::prelude::*;

use super::*;
use crate::limit::usage::Usage;
use crate::time::Millis;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The day with this number, counted from 1970-01-01.
fn numbered(number: u64) -> Day {
    Day::of(Millis::from_secs(number * 86_400))
}

/// A reading on a day: the units of today and in total.
fn reading(today: &str, units: u64, total: u64, generation: u64) -> Reading {
    let generation = Some(Generation::new(generation << 12));
    Reading { day: day(today), usage: Usage { day: units, total }, generation }
}

fn close(ledger: &mut Ledger, reading: &Reading) -> Vec<(String, u64)> {
    ledger.close(reading);
    ledger.days().map(|(day, units)| (day.to_string(), units)).collect()
}

fn days<const N: usize>(days: [(&str, u64); N]) -> Vec<(String, u64)> {
    days.map(|(day, units)| (day.to_owned(), units)).into()
}

#[test]
fn day_gets_the_usage_until_its_end() {
    let mut ledger = Ledger::new(day("2026-11-21"));
    assert_eq!(close(&mut ledger, &reading("2026-11-21", 5, 12, 1)), days([("2026-11-20", 7)]));
    let closed = days([("2026-11-21", 8), ("2026-11-20", 7)]);
    assert_eq!(close(&mut ledger, &reading("2026-11-22", 1, 16, 1)), closed);
    assert_eq!(close(&mut ledger, &reading("2026-11-22", 9, 24, 1)), closed, "today is not closed");
}

#[test]
fn unrecorded_days_count_on_the_newest_of_them() {
    let mut ledger = Ledger::new(day("2026-11-21"));
    ledger.close(&reading("2026-11-21", 0, 7, 1));
    let closed = days([("2026-11-24", 30), ("2026-11-20", 7)]);
    assert_eq!(close(&mut ledger, &reading("2026-11-25", 3, 40, 1)), closed);
}

#[test]
fn late_refunds_come_off_the_newest_days() {
    let mut ledger = Ledger::new(day("2026-11-20"));
    ledger.close(&reading("2026-11-20", 0, 7, 1));
    ledger.close(&reading("2026-11-21", 0, 10, 1));
    // 2 used on the 21st and 4 refunded for earlier requests: 2 come off the 20th.
    let closed = days([("2026-11-20", 1), ("2026-11-19", 7)]);
    assert_eq!(close(&mut ledger, &reading("2026-11-22", 0, 8, 1)), closed);
    let closed = days([("2026-11-19", 3)]);
    assert_eq!(close(&mut ledger, &reading("2026-11-23", 9, 12, 1)), closed, "a day without usage is absent");
    assert_eq!(close(&mut ledger, &reading("2026-11-24", 0, 0, 1)), days([]));
    assert_eq!(close(&mut ledger, &reading("2026-11-25", 0, 6, 1)), days([("2026-11-24", 6)]));
}

#[test]
fn reset_keeps_recorded_days_and_counts_from_zero() {
    let mut ledger = Ledger::new(day("2026-11-20"));
    ledger.close(&reading("2026-11-20", 0, 7, 1));
    for (used, generation) in [(2, 2), (7, 3), (100, 4)] {
        let mut ledger = ledger.clone();
        let closed = days([("2026-11-20", used), ("2026-11-19", 7)]);
        assert_eq!(close(&mut ledger, &reading("2026-11-21", 1, used + 1, generation)), closed);
        let nameless = Reading { generation: None, ..reading("2026-11-22", 0, used, 0) };
        let closed = days([("2026-11-21", used), ("2026-11-20", used), ("2026-11-19", 7)]);
        assert_eq!(close(&mut ledger, &nameless), closed, "a generation without a name is a new one");
    }
}

#[test]
fn clock_that_is_behind_changes_nothing() {
    let mut ledger = Ledger::new(day("2026-11-21"));
    ledger.close(&reading("2026-11-22", 0, 7, 1));
    let before = ledger.clone();
    ledger.close(&reading("2026-11-21", 7, 7, 1));
    assert_eq!(ledger, before);
}

#[test]
fn ninety_days_are_kept() {
    let mut ledger = Ledger::new(numbered(0));
    for n in 1..=200 {
        let reading = Reading { day: numbered(n), ..reading("2026-11-21", 0, n, 1) };
        ledger.close(&reading);
    }
    assert_eq!(ledger.days.len(), 90);
    assert_eq!(ledger.days().next().unwrap(), (numbered(199), 1));
    assert!(ledger.to_json().len() < 2200);
}

#[test]
fn expired_ledger_leaves_unknown_usage_out() {
    let mut ledger = Ledger::of(None, &reading("2026-11-21", 3, 10, 1));
    assert_eq!(close(&mut ledger, &reading("2026-11-21", 3, 10, 1)), days([]));
    assert_eq!(close(&mut ledger, &reading("2026-11-22", 0, 12, 1)), days([("2026-11-21", 5)]));
}

#[test]
fn unchanged_ledger_is_written_once_a_week() {
    let mut ledger = Ledger::new(day("2026-11-20"));
    assert!(ledger.needs_write(None));
    ledger.close(&reading("2026-11-20", 0, 7, 1));
    let stored = ledger.clone();
    ledger.close(&reading("2026-11-26", 0, 7, 1));
    assert!(!ledger.needs_write(Some(&stored)));
    ledger.close(&reading("2026-11-27", 0, 7, 1));
    assert!(ledger.needs_write(Some(&stored)));
    ledger.close(&reading("2026-11-27", 0, 7, 2));
    assert!(ledger.needs_write(Some(&stored)), "a new generation");
}

#[test]
fn invalid_ledgers_are_refused_with_the_field() {
    let good = |field: &str, value: Value| {
        let mut ledger = json!({ "v": 1, "life": null, "through": 1, "day": "2026-11-22", "days": {} });
        ledger[field] = value;
        Ledger::from_json(&ledger.to_string())
    };
    assert!(good("through", json!(2)).is_ok());
    assert!(good("days", json!({ "2026-11-22": 1, "2026-08-25": u64::MAX })).is_ok());
    for (field, value) in [
        ("v", json!(2)),
        ("life", json!(7)),
        ("through", json!(-1)),
        ("day", json!("22.11.")),
        ("days", json!([])),
        ("days", json!({ "2026-11-22": "1" })),
        ("days", json!({ "today": 1 })),
        ("days", json!({ "2026-11-22": 0 })),
        ("days", json!({ "2026-11-23": 1 })),
        ("days", json!({ "2026-08-24": 1 })),
    ] {
        let error = good(field, value).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{field}: expected")), "{error}");
    }
    assert_eq!(Ledger::from_json("").unwrap_err().to_string(), "(all): expected JSON");
}

proptest! {
    #[test]
    fn ledgers_round_trip(
        generation in prop::option::of(any::<u64>().prop_map(Generation::new)),
        through in any::<u64>(),
        newest in (100_u64..40_000).prop_map(numbered),
        units in prop::collection::btree_map(0_u64..DAYS, 1..=u64::MAX, 0..90),
    ) {
        let days = units.into_iter().map(|(ago, units)| (newest.back(ago), units)).collect();
        let ledger = Ledger { generation, through, day: newest, days };
        prop_assert_eq!(Ledger::from_json(&ledger.to_json()), Ok(ledger));
    }
}
