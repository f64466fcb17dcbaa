//! The judge itself: it takes what is right for right, and nothing else.

use std::mem;
use std::time::Duration;

use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{LeaseId, Limit, LimitName, Window};
use sluicegate::time::Millis;

use crate::harness::judge::{Summary, judge, judge_subject};
use crate::harness::load::Run;
use crate::harness::plans::{HOT, SUBJECTS, plan, subject};
use crate::harness::promises;
use crate::harness::random::Random;
use crate::harness::record::{Record, numbers, span};
use crate::harness::replay::IdentifiedRequest;
use crate::harness::traffic::{Clock, Traffic};

/// A Redis in memory, which answers as a real one and can be made to do wrong.
struct Server {
    /// What it knows of each subject.
    local: Vec<MemoryLimiter>,
    clock: Clock,
    events: u64,
}

impl Server {
    fn answer(&mut self, record: &mut Record) {
        record.sent = self.events;
        record.done = self.events + 1;
        self.events += 2;
        let (limits, now) = (&plan(record.subject).limits, Millis::new(record.now));
        let verdicts =
            self.local[record.subject].check_batch(&subject(record.subject), limits, record.requests(), now).unwrap();
        record.answer = Some(numbers(&verdicts));
    }
}

/// What a server does wrong at a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// It answers and forgets.
    Forgotten,
    /// It executes the call twice.
    Twice,
    /// It executes the call, and no answer comes.
    Unanswered,
    /// It does not get the call, and no answer comes.
    Unheard,
    /// It answers with what it was before the call that came before.
    Stale,
}

/// A run of 3000 calls, in which some calls of subject 0 that charge something go wrong.
fn run(wrong: Option<Wrong>) -> Run {
    let nothing = MemoryLimiter::new(Capacity { subjects: 1, entries: usize::MAX });
    let mut server = Server { local: vec![nothing; SUBJECTS], clock: Clock::new(), events: 0 };
    let mut clients: Vec<Traffic> = (0..4).map(Traffic::new).collect();
    let mut records = vec![Vec::new(); SUBJECTS];
    let (mut before, mut charges) = (server.local[0].clone(), 0);
    for call in 0..3000 {
        let mut record = clients[call % 4].next(&server.clock);
        let untouched = server.local[0].clone();
        server.answer(&mut record);
        let span = record.span().unwrap();
        if record.subject == 0 && span.before != span.after {
            charges += 1;
            match wrong.filter(|_| charges % 9 == 5) {
                None => {}
                Some(Wrong::Forgotten) => server.local[0] = untouched.clone(),
                Some(Wrong::Twice) => server.answer(&mut record.clone()),
                Some(Wrong::Unanswered) => record.answer = None,
                Some(Wrong::Unheard) => {
                    server.local[0] = untouched.clone();
                    record.answer = None;
                }
                Some(Wrong::Stale) => {
                    let mut look = clients[0].look(&record, &server.clock);
                    let now = mem::replace(&mut server.local[0], before.clone());
                    server.answer(&mut look);
                    server.local[0] = now;
                    records[0].push(look);
                }
            }
            before = untouched;
        }
        records[record.subject].push(record);
    }
    let look = |subject| {
        let now = server.clock.end();
        let mut look = Record { subject, now, requests: vec![(0, None)], answer: None, sent: 0, done: 0 };
        server.answer(&mut look);
        look
    };
    Run { last: (0..SUBJECTS).map(look).collect(), records, elapsed: Duration::from_secs(1) }
}

fn counts(summary: &Summary) -> (usize, usize) {
    (summary.unknown, summary.executed)
}

#[test]
fn a_correct_history_passes_in_any_order() {
    let mut right = run(None);
    let summary = judge(&right).unwrap();
    assert_eq!(counts(&summary), (0, 0));
    assert!(summary.admitted > 1000 && summary.refused > 1000, "{summary}");
    right.records.iter_mut().for_each(|records| records.reverse());
    assert_eq!(judge(&right).unwrap(), summary);
}

#[test]
fn every_wrong_integer_is_detected() {
    let mut right = run(None);
    let mut random = Random::new(1);
    for subject in 0..usize::try_from(HOT).unwrap() {
        for _ in 0..40 {
            let which = usize::try_from(random.below(right.records[subject].len() as u64)).unwrap();
            let answer = right.records[subject][which].answer.clone().unwrap();
            let place = usize::try_from(random.below(answer.len() as u64)).unwrap();
            for change in [1, -1] {
                right.records[subject][which].answer.as_mut().unwrap()[place] += change;
                let judged = judge_subject(subject, &right.records[subject], &right.last[subject]);
                assert!(judged.is_err(), "{place} of {:?}", right.records[subject][which]);
                right.records[subject][which].answer = Some(answer.clone());
            }
        }
    }
    judge(&right).unwrap();
}

#[test]
fn a_lost_or_repeated_charge_is_detected() {
    let difference = judge(&run(Some(Wrong::Forgotten))).unwrap_err();
    assert!(difference.contains("what one charged was lost"), "{difference}");
    let difference = judge(&run(Some(Wrong::Twice))).unwrap_err();
    assert!(difference.contains("no call without an answer explains it"), "{difference}");
}

#[test]
fn a_charge_lost_at_the_end_is_detected() {
    let mut run = run(None);
    let (records, last) = (&mut run.records[0], &mut run.last[0]);
    let charging = |record: &&Record| record.span().is_some_and(|span| span.before != span.after);
    let youngest = records.iter().filter(charging).map(|record| record.span().unwrap().after).min().unwrap();
    let ledger = 1 + 3 * plan(0).ledger;
    last.answer.as_mut().unwrap()[ledger] += 1;
    assert_eq!(span(plan(0), &last.requests, last.answer.as_ref().unwrap()).before, youngest + 1);
    judge(&run).unwrap_err();
}

#[test]
fn a_call_without_a_reply_may_have_run_or_not() {
    let summary = judge(&run(Some(Wrong::Unanswered))).unwrap();
    assert!(summary.unknown > 3 && summary.executed == summary.unknown, "{summary}");
    let summary = judge(&run(Some(Wrong::Unheard))).unwrap();
    assert!(summary.unknown > 3 && summary.executed == 0, "{summary}");
}

#[test]
fn a_call_without_a_reply_does_not_excuse_other_errors() {
    let mut run = run(Some(Wrong::Unanswered));
    let unknown = run.records[0].iter_mut().find(|record| record.answer.is_none()).unwrap();
    unknown.requests.push((1, Some(LeaseId::new("another").unwrap())));
    judge(&run).unwrap_err();
}

#[test]
fn a_stale_reply_is_detected() {
    let difference = judge(&run(Some(Wrong::Stale))).unwrap_err();
    assert!(difference.contains("units are used, but"), "{difference}");
}

/// Admissions of one lease each, at seconds and of costs.
fn admissions(of: &[(u64, u64)]) -> Vec<IdentifiedRequest> {
    let one = |(i, (second, cost)): (usize, &(u64, u64))| IdentifiedRequest {
        at: second * 1000,
        cost: *cost,
        lease: Some(LeaseId::new(&i.to_string()).unwrap()),
    };
    of.iter().enumerate().map(one).collect()
}

#[test]
fn promises_hold_to_the_millisecond() {
    let (name, ten) = (LimitName::new("l").unwrap(), Millis::from_secs(10));
    let log = Limit::sliding_log(name.clone(), 5, ten).unwrap();
    let sliding = Limit::sliding_window(name.clone(), 5, ten).unwrap();
    let fixed = Limit::fixed_window(name.clone(), 5, Window::Span(ten)).unwrap();
    let month = Limit::fixed_window(name.clone(), 5, Window::Month).unwrap();
    let bucket = Limit::token_bucket(name.clone(), 5, ten, Some(8)).unwrap();
    let inflight = Limit::concurrency(name, 2, ten).unwrap();
    let january = 31 * 86_400;
    for (limit, kept, broken) in [
        (&log, &[(1, 3), (2, 2), (11, 3), (12, 2)][..], &[(1, 3), (2, 2), (10, 1)][..]),
        (&sliding, &[(9, 5), (10, 5), (20, 5)], &[(5, 5), (9, 1)]),
        (&fixed, &[(9, 5), (10, 5), (20, 5)], &[(10, 5), (19, 1)]),
        (&month, &[(0, 5), (january, 5)], &[(0, 5), (january - 1, 1)]),
        (&bucket, &[(100, 8), (102, 1), (110, 4), (112, 1)], &[(0, 1), (100, 8), (102, 1), (103, 1)]),
        (&inflight, &[(1, 9), (2, 9), (11, 9), (12, 9)], &[(1, 9), (2, 9), (10, 1)]),
    ] {
        assert_eq!(promises::hold(limit, &admissions(kept)), Ok(()));
        assert!(promises::hold(limit, &admissions(broken)).is_err(), "{limit:?}");
    }
    // A lease that is taken again is one.
    let mut again = admissions(&[(1, 1), (2, 1), (3, 1), (12, 1)]);
    again[2].lease = again[0].lease.clone();
    assert_eq!(promises::hold(&inflight, &again), Ok(()));
    again[3].at = 11_999;
    assert!(promises::hold(&inflight, &again).is_err());
}
