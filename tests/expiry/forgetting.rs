//! Expiry never changes a reply: every reply equals that of a Redis that keeps all keys.

use std::collections::HashMap;

use proptest::prelude::*;
use sluicegate::limit::{Algorithm, CheckRequest, Limit, Subject, Verdict};
use sluicegate::limiter::Now;
use sluicegate::time::Millis;

use crate::cases;
use crate::clocked::Clocked;
use crate::direct::at_once;
use crate::lives::GRACE;
use crate::traffic::{self, Call};

thread_local! {
    static SERVER: Clocked = Clocked::start();
}

proptest! {
    #![proptest_config(cases::config(400, "regressions"))]

    #[test]
    fn no_key_expires_while_its_state_matters(calls in traffic::changing(40)) {
        SERVER.with(|server| compare(server, calls))?;
    }
}

/// Asks a Redis that forgets and one that does not the same, by the server's own clock. Where it passes the end of what
/// an answer spoke of, both are asked in the millisecond before, too, the last one that matters, by a clock that is as far
/// behind as one may be.
pub(crate) fn compare(server: &Clocked, calls: Vec<Call>) -> Result<(), TestCaseError> {
    server.clear();
    let (subject, kept) = (Subject::named("s"), Subject::named("kept"));
    let mut rates = Rates::default();
    let ask = |limits: &[Limit], requests: Vec<CheckRequest<'_>>, at: u64, behind: u64| {
        server.reach(at + behind);
        let now = Now::At(Millis::new(at));
        let forgets = at_once(server.limiter().check_batch(&subject, limits, requests.clone(), now)).unwrap();
        let keeps = at_once(server.unforgetting().check_batch(&kept, limits, requests, now)).unwrap();
        prop_assert_eq!(&forgets, &keeps, "at {}", at);
        let resets = keeps.last().into_iter().flat_map(Verdict::budgets).map(|budget| budget.reset.get());
        Ok(at + resets.max().unwrap_or(0))
    };
    let (mut latest, mut end, mut limits) = (calls[0].now.get(), 0, Vec::new());
    for mut call in calls {
        rates.hold(&mut call);
        let now = latest.max(call.now.get());
        if latest < end && end <= now {
            ask(&limits, vec![CheckRequest::from(0)], end - 1, GRACE)?;
        }
        end = ask(&call.limits, call.requests().collect(), now, 0)?;
        (latest, limits) = (now, call.limits);
    }
    Ok(())
}

/// Holds buckets to their rate and logs to their window, whatever becomes of the plan: a slower rate or a longer window
/// would make matter again what did not.
#[derive(Default)]
struct Rates(HashMap<(String, bool), Limit>);

impl Rates {
    fn hold(&mut self, call: &mut Call) {
        for limit in &mut call.limits {
            let is_log = matches!(limit.algorithm(), Algorithm::SlidingLog { .. });
            if is_log || matches!(limit.algorithm(), Algorithm::TokenBucket { .. }) {
                let first = self.0.entry((limit.name().to_string(), is_log)).or_insert_with(|| limit.clone()).clone();
                *limit = match first.algorithm() {
                    Algorithm::SlidingLog { window } => {
                        Limit::sliding_log(limit.name().clone(), limit.quota(), window).unwrap()
                    }
                    _ => first,
                };
            }
        }
    }
}
