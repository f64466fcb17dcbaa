//! What expires is forgotten, and nobody notices: every answer is that of a Redis which keeps everything.

use std::collections::HashMap;

use proptest::prelude::*;
use sluicegate::limiter::Now;
use sluicegate::policy::{Algorithm, Limit};
use sluicegate::subject::Subject;

use crate::clocked::{Clocked, at_once};
use crate::traffic::{self, Call};

thread_local! {
    static SERVER: Clocked = Clocked::start();
}

proptest! {
    #![proptest_config(traffic::config(400, "regressions"))]

    #[test]
    fn nothing_is_forgotten_that_matters(calls in traffic::changing(40)) {
        SERVER.with(|server| compare(server, calls))?;
    }
}

/// Asks a Redis that forgets and one that does not the same, by the server's own clock.
pub(crate) fn compare(server: &Clocked, calls: Vec<Call>) -> Result<(), TestCaseError> {
    server.clear();
    let (subject, kept) = (Subject::named("s"), Subject::named("kept"));
    let mut rates = Rates::default();
    let mut latest = calls[0].now;
    for mut call in calls {
        rates.hold(&mut call);
        latest = latest.max(call.now);
        server.reach(latest.get());
        let now = Now::At(latest);
        let forgets = at_once(server.limiter().check_batch(&subject, &call.limits, call.requests(), now));
        let keeps = at_once(server.unforgetting().check_batch(&kept, &call.limits, call.requests(), now));
        prop_assert_eq!(forgets.unwrap(), keeps.unwrap(), "at {} {:?}", latest, call);
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
