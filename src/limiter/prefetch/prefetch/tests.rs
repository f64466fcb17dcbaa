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
    let Take::Ask(pending) = take else { return (false, None) };
    let verdicts = if pending.requests > 0 { 2 } else { 1 };
    (true, pending.record(plenty(limit, verdicts), 1).unwrap().lot)
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
        Take::Ask(pending) => pending,
        Take::Spent(..) => panic!("nothing is held"),
    };
    let first = asked(NOW);
    assert!(first.requests > 0);
    assert_eq!(asked(NOW).requests, 0);
    // The call has failed, perhaps after it was executed. The next one asks only for itself, the one after it takes a lot.
    drop(first);
    let second = asked(NOW);
    assert_eq!(second.requests, 0);
    second.record(plenty(&burst(), 1), 1).unwrap();
    let third = asked(NOW);
    assert!(third.requests > 0);
    // The request was abandoned and is never dropped.
    std::mem::forget(third);
    assert_eq!(asked(after(499)).requests, 0);
}

#[test]
fn held_units_pay_for_a_request_that_redis_refuses() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    take_lot(&prefetch, &subject);
    while prefetch.held(&subject).0 > 1 {
        assert!(prefetch.spend(&subject, &limits, 1, NOW).is_some());
    }
    let Take::Ask(pending) = prefetch.take(rule(), &subject, &limits, 1, after(1)) else { panic!("one is not enough") };
    assert!(pending.requests > 0);
    let mut refused = plenty(&burst(), 2);
    for verdict in &mut refused.verdicts {
        let mut budgets = verdict.budgets().to_vec();
        (budgets[0].remaining, budgets[0].retry) = (0, Retry::After(Millis::new(500)));
        *verdict = Verdict::Deny(budgets);
    }
    let recorded = pending.record(refused, 1).unwrap();
    assert_eq!((recorded.verdict.is_allow(), recorded.paid_at, recorded.lot), (true, Some(NOW), None));
    assert_eq!(prefetch.held(&subject).0, 0);
}

#[test]
fn lots_serve_costs_of_any_size() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    let lot = take_lot(&prefetch, &subject);
    let held = prefetch.held(&subject).0;
    assert!(held >= 2);
    // One request spends what was taken for several.
    assert!(prefetch.spend(&subject, &limits, held, NOW).is_some());
    assert_eq!(prefetch.held(&subject).0, 0);
    // A limit that counts requests was charged for all of them.
    assert_eq!(prefetch.leftover(&lot).map(|leftover| leftover.requests()), Some(held - 1));
}

#[test]
fn what_is_left_can_be_given_back_once() {
    let (prefetch, subject) = (Prefetch::default(), subject(0));
    let lot = take_lot(&prefetch, &subject);
    let held = prefetch.held(&subject).0;
    assert!(held > 0);
    assert_eq!(prefetch.leftover(&lot).map(|leftover| leftover.units()), Some(held));
    assert_eq!((prefetch.leftover(&lot), prefetch.held(&subject).0), (None, 0));
    assert!(decide(&prefetch, &subject, NOW).0, "nothing is left to spend");
}

#[test]
fn a_lot_ends_with_its_hold() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    let lot = take_lot(&prefetch, &subject);
    let spend = |now| prefetch.spend(&subject, &limits, 0, now).is_some();
    // A clock that is set back does not prolong it.
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
    assert_eq!(prefetch.withdraw(&subject, NOW), std::slice::from_ref(&lot));
    assert!(prefetch.spend(&subject, &limits, 0, NOW).is_none());
    assert!(prefetch.held(&subject).0 > 0);
    assert!(prefetch.leftover(&lot).is_some() && prefetch.leftover(&lot).is_none());

    // Also those that are on their way.
    decide(&prefetch, &subject, NOW);
    let Take::Ask(pending) = prefetch.take(rule(), &subject, &limits, 1, NOW) else { panic!("nothing is held") };
    assert!(pending.requests > 0);
    assert_eq!(prefetch.withdraw(&subject, NOW), []);
    let lot = pending.record(plenty(&burst(), 2), 1).unwrap().lot.expect("it can be given back");
    assert!(prefetch.spend(&subject, &limits, 0, NOW).is_none());
    assert!(prefetch.leftover(&lot).is_some());
}

#[test]
fn after_a_reset_nothing_is_given_back() {
    let (prefetch, limits, subject) = (Prefetch::default(), [burst()], subject(0));
    let lot = take_lot(&prefetch, &subject);
    prefetch.forget(&subject);
    assert_eq!(prefetch.leftover(&lot), None);

    let lot = take_lot(&prefetch, &subject);
    prefetch.withdraw(&subject, NOW);
    prefetch.forget(&subject);
    assert_eq!(prefetch.leftover(&lot), None);

    decide(&prefetch, &subject, NOW);
    let Take::Ask(pending) = prefetch.take(rule(), &subject, &limits, 1, NOW) else { panic!("nothing is held") };
    assert!(pending.requests > 0);
    prefetch.forget(&subject);
    let recorded = pending.record(plenty(&burst(), 2), 1).unwrap();
    assert_eq!((recorded.lot, prefetch.held(&subject).0), (None, 0));
}

#[test]
fn the_accounts_are_bounded() {
    let prefetch = Prefetch::with_capacity(3);
    take_lot(&prefetch, &subject(0));
    for number in 1..3 {
        decide(&prefetch, &subject(number), NOW);
    }
    for _ in 0..10 {
        assert_eq!(decide(&prefetch, &subject(3), NOW), (true, None), "there are too many");
    }
    // Those that hold nothing make room after a second.
    for _ in 0..10 {
        decide(&prefetch, &subject(3), after(CLEANED_EVERY.get()));
    }
    assert!(prefetch.held(&subject(3)).0 > 0 && prefetch.held(&subject(0)).0 > 0);
    assert_eq!(prefetch.lock().count, 2);
    decide(&prefetch, &subject(1), after(CLEANED_EVERY.get()));
    decide(&prefetch, &subject(2), after(UNUSED_AFTER.get()));
    assert_eq!((prefetch.held(&subject(0)).0, prefetch.lock().count), (0, 2));
}
