//! Replies to checks, settlements, releases and resets.
//!
//! The first line has the operation, the limits as a number with one bit each, the number of requests, and the cost.
//! Each other line is a reply. A reply is accepted only if it has the right length, and is decoded without loss.

use std::sync::LazyLock;

use serde_json::Value;
use sluicegate::limit::{CheckRequest, LeaseId, Limit, LimitName, Retry, Subject, Verdict, Window};
use sluicegate::limiter::{BatchVerdict, CheckError, Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;

use super::fields::assert_valid_fields;
use crate::fake_redis::{FakeRedis, run as run_future};
use crate::input::{Lines, Words};

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let first = lines.text();
    let mut words = Words::new(&first);
    let (operation, bits) = (words.text(), words.number());
    let (requests, cost) = (usize::try_from(words.number() % 5).unwrap(), words.number());
    let limits: Vec<Limit> =
        (0..).zip(LIMITS.iter()).filter(|(i, _)| bits >> i & 1 == 1).map(|it| it.1.clone()).collect();
    let limiter = Limiter::new(FakeRedis::new(lines), Dialect::KeyLocking);
    match operation {
        "settle" => settle(&limiter, &limits, cost),
        "release" => {
            let released = run_future(limiter.release(&subject(), &limits, &lease()));
            assert!(
                released.is_err()
                    || limiter.transport().calls() == 0
                    || last(&limiter) == released.ok().map(Value::from)
            );
        }
        "reset" => {
            let reset = run_future(limiter.reset(&subject(), &limits));
            assert!(reset.is_err() || last(&limiter) == reset.ok().map(Value::from));
        }
        _ => check(&limiter, &limits, requests, cost),
    }
    // The second call is EVAL, after NOSCRIPT.
    assert!(limiter.transport().calls() <= 2);
}

fn check(limiter: &Limiter<FakeRedis<'_>>, limits: &[Limit], requests: usize, cost: u64) {
    let lease = lease();
    let requests = vec![CheckRequest { cost, lease: Some(&lease) }; requests];
    let count = requests.len();
    match run_future(limiter.check_batch_timed(&subject(), limits, requests, Now::Redis)) {
        Ok(batch) => {
            assert_eq!(batch.verdicts.len(), count);
            assert_eq!(last(limiter), Some(numbers(&batch).into()));
            for verdict in &batch.verdicts {
                assert!(verdict.budgets().iter().map(|budget| &budget.limit).eq(limits));
                assert_eq!(verdict.is_allow(), verdict.retry() == Retry::Now);
                assert_valid_fields(verdict, false);
            }
        }
        Err(CheckError::Invalid(_)) => assert_eq!(limiter.transport().calls(), 0),
        Err(CheckError::Redis(error)) => assert!(error.to_string().len() < LONGEST_ERROR, "{error}"),
    }
}

/// Returns the reply that means these verdicts.
fn numbers(batch: &BatchVerdict) -> Vec<i64> {
    let number = |number: u64| i64::try_from(number).expect("it was one");
    let verdict = |verdict: &Verdict| {
        let budgets = verdict.budgets().iter().flat_map(|budget| {
            let retry = match budget.retry {
                Retry::Now => 0,
                Retry::Never => -1,
                Retry::After(wait) => number(wait.get()),
            };
            [number(budget.remaining), retry, number(budget.reset.get())]
        });
        [i64::from(verdict.is_allow())].into_iter().chain(budgets).collect::<Vec<_>>()
    };
    batch.verdicts.iter().flat_map(verdict).chain([number(batch.at.get())]).collect()
}

fn settle(limiter: &Limiter<FakeRedis<'_>>, limits: &[Limit], cost: u64) {
    let request = RequestId::new("request-1").expect("a valid id");
    let settlement = Settlement {
        request: &request,
        charged_at: Millis::new(cost),
        correction: Correction::between(7, cost),
        memory: Millis::new(cost),
    };
    let found = |limiter| last(limiter).and_then(|numbers| Some((numbers.get(0)?.clone(), numbers.as_array()?.len())));
    match run_future(limiter.settle(&subject(), limits, &settlement, Now::At(Millis::new(cost)))) {
        Ok(SettleOutcome::Settle { units }) => {
            let numbers: Vec<u64> = [1].into_iter().chain(units).collect();
            assert_eq!((last(limiter), numbers.len()), (Some(numbers.clone().into()), limits.len() + 1));
        }
        Ok(SettleOutcome::Repeat) => assert_eq!(found(limiter), Some((0.into(), limits.len() + 1))),
        Err(error) => assert!(error.to_string().len() < LONGEST_ERROR, "{error}"),
    }
}

fn last(limiter: &Limiter<FakeRedis<'_>>) -> Option<Value> {
    limiter.transport().last_result()
}

fn subject() -> Subject {
    Subject::named("alice")
}

fn lease() -> LeaseId {
    LeaseId::new("lease-1").expect("a valid id")
}

/// One limit of each kind.
static LIMITS: LazyLock<[Limit; 7]> = LazyLock::new(|| {
    let name = |text| LimitName::new(text).expect("a valid name");
    let (second, day) = (Millis::from_secs(1), Millis::DAY);
    [
        Limit::sliding_log(name("log"), 100, day),
        Limit::sliding_window(name("window"), 1000, second),
        Limit::fixed_window(name("day"), 5000, Window::Span(day)),
        Limit::fixed_window(name("month"), 100_000, Window::Month),
        Limit::token_bucket(name("burst"), 50, second, Some(100)),
        Limit::concurrency(name("inflight"), 4, second),
        Limit::token_bucket(name("requests"), 3, day, None).map(Limit::counting_requests),
    ]
    .map(|limit| limit.expect("a valid limit"))
});

/// Bytes of an error, which is logged. A verdict has at most 22 numbers of 20 digits.
const LONGEST_ERROR: usize = 2000;
