//! After every call, every key expires exactly 1,000 ms after its limits report a full quota.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::Index;
use sluicegate::limit::{LeaseId, Limit, MAX_INTEGER, Subject, Verdict};
use sluicegate::limiter::{Correction, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::time::Millis;

use crate::acts::{Act, Kind, acts};
use crate::cases;
use crate::clocked::{Clocked, Life, Seen};
use crate::direct::at_once;
use crate::traffic::{self, Call};

thread_local! {
    /// One server for all cases of a test.
    static SERVER: Clocked = Clocked::start();
}

proptest! {
    #![proptest_config(cases::config(400, "regressions"))]

    #[test]
    fn keys_expire_one_second_after_their_state_is_full(calls in traffic::changing(30), acts in acts(30)) {
        SERVER.with(|server| follow(server, &calls, &acts))?;
    }
}

/// Runs checks and actions between them, and verifies every key after each.
pub(crate) fn follow(server: &Clocked, calls: &[Call], acts: &[Act]) -> Result<(), TestCaseError> {
    server.clear();
    let subject = Subject::named("s");
    let mut history =
        History { server, subject: &subject, now: 0, packed: Vec::new(), charged: Vec::new(), seen: Vec::new() };
    for (call, act) in calls.iter().zip(acts) {
        history.check(call)?;
        server.pass(act.pass);
        match &act.kind {
            Some(Kind::Settle { which, back, correction, memory }) => {
                history.settle(call.now, *which, *back, *correction, *memory)?;
            }
            Some(Kind::Release { lease }) => history.release(call, *lease)?,
            Some(Kind::Reset) => history.reset()?,
            None => {}
        }
    }
    Ok(())
}

/// How far callers' clocks may differ, in milliseconds.
pub(crate) const GRACE: u64 = 1000;

struct History<'a> {
    server: &'a Clocked,
    subject: &'a Subject,
    /// The clock of the last client.
    now: u64,
    /// The limits that the packed state may know, each with the numbers that it was last charged by.
    packed: Vec<Limit>,
    /// The checks that charged something.
    charged: Vec<&'a Call>,
    /// All limits with their own key.
    seen: Vec<Limit>,
}

impl<'a> History<'a> {
    fn check(&mut self, call: &'a Call) -> Result<(), TestCaseError> {
        self.now = call.now.get();
        let limiter = self.server.limiter();
        let check = limiter.check_batch(self.subject, &call.limits, call.requests(), Now::At(call.now));
        let verdicts = at_once(check).map_err(|error| TestCaseError::fail(format!("{error}: {call:?}")))?;
        let takes = |(verdict, request): (&Verdict, &(u64, LeaseId))| verdict.is_allow() && request.0 > 0;
        let charged = verdicts.iter().zip(&call.requests).any(takes);
        let seen = self.server.seen();
        if charged {
            self.charged.push(call);
            self.remember(&call.limits);
        }
        for seen in &seen {
            let limits = self.limits_of(&seen.key, &call.limits);
            if charged && call.limits.iter().any(|limit| limits.contains(limit)) {
                self.lives(seen, self.matters(&limits, call.now) + GRACE, call)?;
            } else {
                self.unchanged(seen, call)?;
            }
        }
        Ok(())
    }

    fn settle(
        &mut self,
        now: Millis,
        which: Index,
        back: u64,
        correction: Correction,
        memory: u64,
    ) -> Result<(), TestCaseError> {
        if self.charged.is_empty() {
            return Ok(());
        }
        let which = which.index(self.charged.len());
        let call = self.charged[which];
        // By the numbers that the state knows.
        let known =
            |limit: &Limit| self.packed.iter().find(|known| known.keeps_state_of(limit)).unwrap_or(limit).clone();
        let limits: Vec<Limit> = call.limits.iter().map(known).collect();
        let request = RequestId::new(&format!("r{which}")).unwrap();
        let charged_at = Millis::new(call.now.get().saturating_sub(back));
        let settlement = Settlement { request: &request, charged_at, correction, memory: Millis::new(memory) };
        let limiter = self.server.limiter();
        let outcome = at_once(limiter.settle(self.subject, &limits, &settlement, Now::At(now))).unwrap();
        let seen = self.server.seen();
        let SettleOutcome::Settle { units } = outcome else {
            return seen.iter().try_for_each(|seen| self.unchanged(seen, &settlement));
        };
        let more = matches!(correction, Correction::Charge(_));
        let charged: Vec<Limit> = limits
            .iter()
            .zip(&units)
            .filter(|(_, units)| more && **units > 0)
            .map(|(limit, _)| limit.clone())
            .collect();
        self.remember(&charged);
        for seen in &seen {
            let before = seen.before.unwrap_or(0);
            let limits = self.limits_of(&seen.key, &limits);
            if seen.key == self.subject.settled_key() {
                self.lives(seen, before.max(memory), &settlement)?;
            } else if charged.iter().any(|limit| limits.contains(limit)) {
                // What is charged later than it was known to matter lives longer, and nothing lives shorter: the
                // clock of this client may be ahead of others'.
                self.lives(seen, before.max(self.matters(&limits, now) + GRACE), &settlement)?;
            } else {
                self.unchanged(seen, &settlement)?;
            }
        }
        Ok(())
    }

    fn release(&mut self, call: &Call, lease: u8) -> Result<(), TestCaseError> {
        let lease = LeaseId::new(&format!("lease-{lease}")).unwrap();
        if call.limits.iter().any(Limit::needs_lease) {
            at_once(self.server.limiter().release(self.subject, &call.limits, &lease)).unwrap();
            for seen in self.server.seen() {
                if seen.after != Life::Absent {
                    self.unchanged(&seen, &lease)?;
                }
            }
        }
        Ok(())
    }

    fn reset(&mut self) -> Result<(), TestCaseError> {
        at_once(self.server.limiter().reset(self.subject, &self.seen)).unwrap();
        for seen in self.server.seen() {
            prop_assert_eq!(seen.after, Life::Absent, "{:?} after a reset", seen);
        }
        self.packed.clear();
        Ok(())
    }

    /// These limits have been charged, by these numbers.
    fn remember(&mut self, limits: &[Limit]) {
        for limit in limits {
            let known = if self.key_of(limit) == self.subject.state_key() { &mut self.packed } else { &mut self.seen };
            known.retain(|other| !limit.keeps_state_of(other));
            known.push(limit.clone());
        }
    }

    fn key_of(&self, limit: &Limit) -> String {
        use sluicegate::limit::Algorithm::{Concurrency, SlidingLog};
        match limit.algorithm() {
            SlidingLog { .. } => self.subject.log_key(limit.name()),
            Concurrency { .. } => self.subject.inflight_key(limit.name()),
            _ => self.subject.state_key(),
        }
    }

    /// Whose state this key holds: the one of a call, or all that the packed state knows.
    fn limits_of(&self, key: &str, call: &[Limit]) -> Vec<Limit> {
        if key == self.subject.state_key() {
            self.packed.clone()
        } else {
            call.iter().filter(|limit| self.key_of(limit) == key).cloned().collect()
        }
    }

    /// Returns how long any of these limits matters, from single peeks.
    fn matters(&self, limits: &[Limit], now: Millis) -> u64 {
        let reset = |limit: &Limit| {
            let look = at_once(self.server.limiter().peek(self.subject, std::slice::from_ref(limit), Now::At(now)));
            look.unwrap().budgets()[0].reset.get()
        };
        limits.iter().map(reset).max().unwrap_or(0)
    }

    fn lives(&self, seen: &Seen, expected: u64, after: &dyn fmt::Debug) -> Result<(), TestCaseError> {
        let Life::Ms(ms) = seen.after else {
            return Err(TestCaseError::fail(format!("{seen:?} is to live {expected} ms after {after:?}")));
        };
        // A double rounds instants beyond 2^53.
        let far = u64::from(self.now + expected > MAX_INTEGER);
        prop_assert!(ms <= expected + far, "{:?} lives longer than {} ms after {:?}", seen, expected, after);
        let least = expected.saturating_sub(seen.blur + far);
        prop_assert!(least <= ms, "{:?} lives shorter than {} ms after {:?}", seen, expected, after);
        self.server.know(&seen.key, expected);
        Ok(())
    }

    fn unchanged(&self, seen: &Seen, after: &dyn fmt::Debug) -> Result<(), TestCaseError> {
        if let Some(before) = seen.before {
            return self.lives(seen, before, after);
        }
        prop_assert_eq!(seen.after, Life::Absent, "{:?} after {:?}", seen, after);
        Ok(())
    }
}
