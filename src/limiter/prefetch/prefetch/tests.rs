//! What an isolate holds is bounded, taken by one call at a time, and given back once.

use super::*;
use crate::limit::{Budget, Retry};
use crate::limiter::fixtures::{burst, day};

const NOW: Millis = Millis::new(1_800_000_000_000);

fn after(ms: u64) -> Millis {
    Millis::new(NOW.get() + ms)
}

fn rule() -> PrefetchRule {
    PrefetchRule::new(100, Millis::new(500)).unwrap()
}

fn subject(number: u32) -> Subject {
    Subject::named(&format!("s{number}"))
}

/// The reply of a Redis that has plenty, on a request and units in advance.
fn plenty(limit: &Limit, verdicts: usize) -> BatchVerdict {
    let budget = Budget { limit: limit.clone(), remaining: 1000, retry: Retry::Now, reset: Millis::from_secs(60) };
    BatchVerdict { at: NOW, verdicts: vec![Verdict::Allow(vec![budget]); verdicts] }
}

/// Decides about a request of one unit. Returns whether Redis was asked, and the lot that was taken.
fn decide(prefetch: &Prefetch, subject: &Subject, now: Millis) -> (bool, Option<LotId>) {
    let limit = &burst();
    let take = prefetch.take(rule(), subject, std::slice::from_ref(limit), 1, now);
    let Take::Ask(advance) = take else { return (false, None) };
    let verdicts = if advance.requests > 0 { 2 } else { 1 };
    (true, advance.record(plenty(limit, verdicts), 1, now).unwrap().1)
}

/// Decides about requests until a lot is taken.
fn take_lot(prefetch: &Prefetch, subject: &Subject) -> LotId {
    (0..10).find_map(|_| decide(prefetch, subject, NOW).1).unwrap()
}

#[test]
fn only_one_call_at_a_time_takes_units() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    for _ in 0..2 {
        decide(&prefetch, &subject, NOW);
    }
    while prefetch.spend(&subject, &limits, 1, NOW).is_some() {}
    let asked = |now| match prefetch.take(rule(), &subject, &limits, 1, now) {
        Take::Ask(advance) => advance,
        Take::Spent(..) => panic!("nothing is held"),
    };
    let first = asked(NOW);
    assert!(first.requests > 0);
    assert_eq!(asked(NOW).requests, 0);
    // The call has failed.
    drop(first);
    let second = asked(NOW);
    assert!(second.requests > 0);
    // The request was abandoned and is never dropped.
    std::mem::forget(second);
    assert_eq!(asked(after(499)).requests, 0);
}

#[test]
fn what_is_left_can_be_given_back_once() {
    let (prefetch, subject) = (Prefetch::default(), subject(0));
    let lot = take_lot(&prefetch, &subject);
    let held = prefetch.held(&subject);
    assert!(held > 0);
    assert_eq!(prefetch.leftover(&lot).map(|leftover| leftover.units()), Some(held));
    assert_eq!((prefetch.leftover(&lot), prefetch.held(&subject)), (None, 0));
    assert!(decide(&prefetch, &subject, NOW).0, "nothing is left to spend");
}

#[test]
fn a_lot_ends_with_its_hold_and_a_clock_that_is_set_back_does_not_prolong_it() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    let lot = take_lot(&prefetch, &subject);
    let spend = |now| prefetch.spend(&subject, &limits, 0, now).is_some();
    assert!(spend(NOW) && spend(after(499)));
    assert!(!spend(after(500)) && !spend(Millis::new(NOW.get() - 1)));
    assert!(prefetch.leftover(&lot).is_some());
}

#[test]
fn limits_have_accounts_of_their_own() {
    let (prefetch, subject) = (Prefetch::default(), subject(0));
    take_lot(&prefetch, &subject);
    assert!(prefetch.spend(&subject, &[burst(), day()], 0, NOW).is_none());
    assert!(prefetch.spend(&subject, &[burst().with_quota(7, None).unwrap()], 0, NOW).is_none());
}

#[test]
fn after_a_change_units_are_only_given_back() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    let lot = take_lot(&prefetch, &subject);
    prefetch.withdraw(&subject, NOW);
    assert!(prefetch.spend(&subject, &limits, 0, NOW).is_none());
    assert!(prefetch.held(&subject) > 0);
    assert!(prefetch.leftover(&lot).is_some() && prefetch.leftover(&lot).is_none());
}

#[test]
fn after_a_reset_units_are_not_given_back_not_even_those_on_their_way() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    let lot = take_lot(&prefetch, &subject);
    prefetch.forget(&subject);
    assert_eq!(prefetch.leftover(&lot), None);

    let lot = take_lot(&prefetch, &subject);
    prefetch.withdraw(&subject, NOW);
    prefetch.forget(&subject);
    assert_eq!(prefetch.leftover(&lot), None);

    decide(&prefetch, &subject, NOW);
    let Take::Ask(advance) = prefetch.take(rule(), &subject, &limits, 1, NOW) else { panic!("nothing is held") };
    assert!(advance.requests > 0);
    prefetch.forget(&subject);
    let (_, lot) = advance.record(plenty(&burst(), 2), 1, NOW).unwrap();
    assert_eq!((lot, prefetch.held(&subject)), (None, 0));
}

#[test]
fn the_accounts_are_bounded() {
    let prefetch = Prefetch::with_capacity(3);
    for number in 0..3 {
        take_lot(&prefetch, &subject(number));
    }
    for _ in 0..10 {
        assert_eq!(decide(&prefetch, &subject(3), NOW), (true, None), "there are too many");
    }
    // Later the others are unused.
    for _ in 0..10 {
        decide(&prefetch, &subject(3), after(UNUSED_AFTER.get()));
    }
    assert!(prefetch.held(&subject(3)) > 0);
    assert_eq!((0..3).map(|number| prefetch.held(&subject(number))).sum::<u64>(), 0);
    assert_eq!(prefetch.lock().count, 1);
}
