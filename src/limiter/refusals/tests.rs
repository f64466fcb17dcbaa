use super::*;
use crate::limit::By;
use crate::limiter::fixtures::{burst, day, inflight};

const START: Millis = Millis::new(1_800_000_000_000);
const SECOND: Millis = Millis::from_secs(1);
const TIMEOUT: Millis = Millis::new(250);

fn after(ms: u64) -> Millis {
    Millis::new(START.get() + ms)
}

fn subject(number: usize) -> Subject {
    Subject::named(&format!("subject-{number}"))
}

fn budget(limit: Limit, retry: Retry) -> Budget {
    Budget { limit, remaining: 3, retry, reset: Millis::new(9_000) }
}

fn wait(ms: u64) -> Retry {
    Retry::After(Millis::new(ms))
}

/// Remembers at `START` that a request was refused.
fn remember(refusals: &Refusals, subject: &Subject, cost: u64, budgets: Vec<Budget>) {
    remember_verdict(refusals, subject, cost, &Verdict::Deny(budgets));
}

fn remember_verdict(refusals: &Refusals, subject: &Subject, cost: u64, verdict: &Verdict) {
    let ticket = Ticket { forgotten: refusals.lock().forgotten(subject) };
    refusals.remember(&ticket, subject, cost, verdict, START);
}

/// Returns the retry time of a remembered refusal.
fn retry(refusals: &Refusals, cost: u64, now: Millis) -> Option<Retry> {
    match refusals.recall(&subject(0), &[burst()], cost, now) {
        Recall::Refuse(verdict) => Some(verdict.retry()),
        Recall::Ask(_) => None,
    }
}

#[test]
fn a_refusal_ends_with_its_retry_time() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(700))]);
    assert_eq!(retry(&refusals, 1, START), Some(wait(700)));
    assert_eq!(retry(&refusals, 1, after(699)), Some(wait(1)));
    assert_eq!(retry(&refusals, 1, after(700)), None);
}

#[test]
fn a_refusal_lives_no_longer_than_configured() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(60_000))]);
    assert_eq!(retry(&refusals, 1, after(749)), Some(wait(59_251)));
    assert_eq!(retry(&refusals, 1, after(1000)), None);
    let off = Refusals::new(Millis::ZERO, TIMEOUT);
    remember(&off, &subject(0), 1, vec![budget(burst(), wait(60_000))]);
    assert!(off.is_empty());
}

#[test]
fn one_request_renews_a_refusal_before_it_ends() {
    // The lead is the timeout, but at least an eighth and at most a quarter of the life.
    for (timeout, lead) in [(10, 125), (200, 200), (250, 250), (30_000, 250)] {
        let refusals = Refusals::new(SECOND, Millis::new(timeout));
        remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(60_000))]);
        assert!(retry(&refusals, 1, after(1000 - lead - 1)).is_some());
        assert_eq!(retry(&refusals, 1, after(1000 - lead)), None, "this one asks Redis");
        for ms in 1000 - lead..1000 {
            assert!(retry(&refusals, 1, after(ms)).is_some(), "the others do not: {ms}");
        }
        assert_eq!(retry(&refusals, 1, after(1000)), None);
    }
}

#[test]
fn a_renewal_that_fails_leaves_the_refusal() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(60_000))]);
    assert_eq!(retry(&refusals, 1, after(800)), None, "this one asks Redis");
    let remembered = |ms| refusals.remembered(&subject(0), &[burst()], 1, after(ms)).map(|verdict| verdict.retry());
    assert_eq!((remembered(999), remembered(1000)), (Some(wait(59_001)), None));
}

#[test]
fn budgets_age_with_the_refusal() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    let limits = [burst(), day()];
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(300)), budget(day(), wait(5_000))]);
    let Recall::Refuse(verdict) = refusals.recall(&subject(0), &limits, 1, after(400)) else { panic!("refused") };
    let aged = |limit, retry| Budget { limit, remaining: 3, retry, reset: Millis::new(8_600) };
    // The bucket has refilled meanwhile.
    assert_eq!(verdict, Verdict::Deny(vec![aged(burst(), Retry::Now), aged(day(), wait(4_600))]));
}

#[test]
fn lower_costs_other_limits_and_other_subjects_ask_redis() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 5, vec![budget(burst(), wait(700))]);
    assert_eq!(retry(&refusals, 4, START), None);
    assert_eq!(retry(&refusals, 0, START), None, "a cost of 0 reads the budgets");
    assert_eq!(retry(&refusals, 6, START), Some(wait(700)));
    assert_eq!(retry(&refusals, 31, START), Some(Retry::Never), "the bucket holds 30");
    let more = burst().with_quota(21, None).unwrap();
    for limits in [&[more][..], &[day()], &[burst(), day()], &[burst().counting_requests()]] {
        assert!(matches!(refusals.recall(&subject(0), limits, 5, START), Recall::Ask(_)), "{limits:?}");
    }
    assert!(matches!(refusals.recall(&subject(1), &[burst()], 5, START), Recall::Ask(_)));
}

#[test]
fn a_limit_that_counts_requests_refuses_any_cost() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    let limits = [burst().counting_requests(), day()];
    remember(&refusals, &subject(0), 5, vec![budget(limits[0].clone(), wait(700)), budget(day(), Retry::Now)]);
    assert!(matches!(refusals.recall(&subject(0), &limits, 1, START), Recall::Refuse(_)));
}

#[test]
fn refusals_by_leases_are_not_remembered() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(700)), budget(inflight(), wait(10))]);
    assert!(refusals.is_empty());
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(700)), budget(inflight(), Retry::Now)]);
    assert_eq!(refusals.len(), 1);
}

#[test]
fn what_is_given_back_ends_a_refusal() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(700))]);
    // Redis is asked, units are given back, and only then Redis's refusal arrives.
    let Recall::Ask(ticket) = refusals.recall(&subject(0), &[day()], 1, START) else { panic!("not refused") };
    refusals.forget(&subject(0));
    refusals.remember(&ticket, &subject(0), 1, &Verdict::Deny(vec![budget(day(), wait(700))]), START);
    assert!(refusals.is_empty());
}

#[test]
fn an_allowed_request_ends_refusals_of_its_cost() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    let allow = Verdict::Allow(vec![budget(burst(), Retry::Now)]);
    remember(&refusals, &subject(0), 5, vec![budget(burst(), wait(700))]);
    remember_verdict(&refusals, &subject(0), 4, &allow);
    assert_eq!(refusals.len(), 1);
    remember_verdict(&refusals, &subject(0), 5, &allow);
    assert!(refusals.is_empty());
    // The limit that refused counts requests, so the cost does not matter.
    let counting = || budget(burst().counting_requests(), wait(700));
    remember(&refusals, &subject(0), 5, vec![counting()]);
    remember_verdict(&refusals, &subject(0), 1, &Verdict::Allow(vec![counting()]));
    assert!(refusals.is_empty());
}

#[test]
fn a_charge_to_a_changed_limit_ends_refusals() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(700))]);
    remember_verdict(&refusals, &subject(0), 1, &Verdict::Allow(vec![budget(day(), Retry::Now)]));
    assert_eq!(refusals.len(), 1, "another limit");
    let changed = burst().with_quota(21, None).unwrap();
    remember_verdict(&refusals, &subject(0), 1, &Verdict::Deny(vec![budget(changed.clone(), wait(600))]));
    assert_eq!(refusals.len(), 2, "nothing was charged");
    remember_verdict(&refusals, &subject(0), 1, &Verdict::Allow(vec![budget(changed, Retry::Now)]));
    assert!(refusals.is_empty());
}

#[test]
fn a_clock_set_back_ends_a_refusal() {
    let refusals = Refusals::new(SECOND, TIMEOUT);
    remember(&refusals, &subject(0), 1, vec![budget(burst(), wait(700))]);
    assert_eq!(retry(&refusals, 1, Millis::new(START.get() - 1)), None);
}

#[test]
fn memory_is_bounded() {
    let refusals = Refusals::with_capacity(SECOND, TIMEOUT, 100);
    for number in 0..10_000 {
        let life = 1 + (number as u64 * 7919) % 900;
        remember(&refusals, &subject(number), 1, vec![budget(burst(), wait(life))]);
        assert!(refusals.len() <= 100);
    }
    let entries = refusals.lock();
    assert_eq!((entries.by_end.len(), entries.subjects.len()), (100, 100));
    let first = entries.by_end.first_key_value().unwrap().0.0;
    assert!(first >= after(880), "those that end last stay: {first:?}");
    drop(entries);
    for quota in 1..1000 {
        let limit = burst().with_quota(quota, None).unwrap();
        remember(&refusals, &subject(0), 1, vec![budget(limit, wait(950))]);
    }
    assert_eq!(refusals.lock().subjects[&subject(0)].len(), PER_SUBJECT);
    let wide = vec![budget(burst(), wait(950)), budget(day(), Retry::Now)];
    for number in 0..1000 {
        remember(&refusals, &subject(number), 1, wide.clone());
    }
    assert_eq!((refusals.len(), refusals.lock().budgets), (50, 100), "each limit counts");
    let ticket = Ticket { forgotten: 0 };
    refusals.remember(&ticket, &subject(1), 1, &Verdict::Allow(Vec::new()), after(2000));
    assert!(refusals.is_empty() && refusals.lock().subjects.is_empty(), "entries that have ended are removed");
    assert_eq!(refusals.lock().budgets, 0);
}

/// A subject with a user, everyone, and limits that count by these.
fn within(tenant: usize, user: &str) -> Subject {
    subject(tenant).with(&user_header(), user.as_bytes()).with(&By::Everyone, b"")
}

fn user_header() -> By {
    By::Header("x-user".into())
}

#[test]
fn what_is_given_back_ends_refusals_by_the_same_state() {
    let limits = [burst().counting_by(By::Everyone), day(), burst().counting_by(user_header())];
    let by = |place: usize| {
        let retry = |i: usize| if i == place { wait(700) } else { Retry::Now };
        limits.iter().enumerate().map(|(i, limit)| budget(limit.clone(), retry(i))).collect::<Vec<_>>()
    };
    let refusals = Refusals::new(SECOND, TIMEOUT);
    let all = [within(0, "ada"), within(0, "bob"), within(1, "ada")];
    for (refused_by, given_back, forgotten) in [
        (0, within(2, "eve"), [true, true, true]),
        (0, subject(0), [false, false, false]),
        (1, within(0, "eve"), [true, true, false]),
        (1, subject(0), [true, true, false]),
        (2, within(0, "ada"), [true, false, false]),
        (2, subject(0), [false, false, false]),
        (2, within(2, "ada"), [false, false, false]),
    ] {
        for subject in &all {
            remember(&refusals, subject, 1, by(refused_by));
        }
        refusals.forget(&given_back);
        let is_remembered =
            |subject: &Subject| matches!(refusals.recall(subject, &limits, 1, START), Recall::Refuse(_));
        let found: Vec<bool> = all.iter().map(|subject| !is_remembered(subject)).collect();
        assert_eq!(found, forgotten, "refused by {refused_by}, given back to {given_back:?}");
        for subject in &all {
            refusals.forget(subject);
        }
        assert!(refusals.is_empty());
        assert!(refusals.lock().refused_by.is_empty() && refusals.lock().budgets == 0);
    }
}

#[test]
fn a_charge_to_a_changed_limit_ends_refusals_by_the_same_state() {
    let changed = |limit: &Limit| limit.with_quota(limit.quota() + 1, None).unwrap();
    let (shared, own) = (day(), burst().counting_by(user_header()));
    let refusals = Refusals::new(SECOND, TIMEOUT);
    let (ada, bob) = (within(0, "ada"), within(0, "bob"));
    for (refusing, charged, by, forgotten) in [
        (&shared, changed(&shared), &bob, true),
        (&shared, changed(&shared), &subject(0), true),
        (&shared, changed(&shared), &within(1, "ada"), false),
        (&shared, shared.clone(), &bob, false),
        (&own, changed(&own), &ada, true),
        (&own, changed(&own), &bob, false),
    ] {
        remember(&refusals, &ada, 1, vec![budget(refusing.clone(), wait(700))]);
        remember_verdict(&refusals, by, 1, &Verdict::Allow(vec![budget(charged, Retry::Now)]));
        assert_eq!(refusals.is_empty(), forgotten, "refused by {refusing:?}, charged by {by:?}");
        refusals.forget(&ada);
        assert!(refusals.is_empty() && refusals.lock().refused_by.is_empty());
    }
}

#[test]
fn a_refusal_on_its_way_is_not_remembered_after_a_state_got_units_back() {
    let limits = [burst().counting_by(By::Everyone), day()];
    let is_remembered_after = |given_back: &Subject| {
        let refusals = Refusals::new(SECOND, TIMEOUT);
        let Recall::Ask(ticket) = refusals.recall(&within(0, "ada"), &limits, 1, START) else {
            panic!("nothing is there")
        };
        refusals.forget(given_back);
        let verdict = Verdict::Deny(vec![budget(limits[0].clone(), wait(700)), budget(limits[1].clone(), Retry::Now)]);
        refusals.remember(&ticket, &within(0, "ada"), 1, &verdict, START);
        !refusals.is_empty()
    };
    assert!(!is_remembered_after(&within(1, "bob")), "the state of everyone");
    assert!(!is_remembered_after(&subject(0)), "the state of the tenant");
    // One other may have the same slot.
    assert!((1..9).any(|other| is_remembered_after(&subject(other))), "no state of the refusal");
}

#[test]
fn a_flood_of_values_is_bounded() {
    let refusals = Refusals::with_capacity(SECOND, TIMEOUT, 300);
    let limit = burst().counting_by(user_header());
    for i in 0..10_000 {
        remember(&refusals, &within(0, &i.to_string()), 1, vec![budget(limit.clone(), wait(700))]);
    }
    assert_eq!(refusals.len(), 60, "one budget and two further subjects each");
    let entries = refusals.lock();
    assert_eq!((entries.subjects.len(), entries.refused_by.len()), (60, 60));
}
