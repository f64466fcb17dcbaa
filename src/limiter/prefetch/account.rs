//! The units that an isolate holds for one subject and its limits.

use super::demand::Demand;
use super::lot::Lot;
use crate::limit::{Budget, Limit, PrefetchRule, Retry, Verdict};
use crate::time::Millis;

/// The units that an isolate holds for one subject and one list of limits, and what it knows of them.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) number: u64,
    pub(super) limits: Vec<Limit>,
    pub(super) lots: Vec<Lot>,
    /// The time of the last request.
    pub(super) last_request: Millis,
    demand: Demand,
    /// The budgets as Redis last reported them, after all that was charged by then; and the time before that call.
    report: Option<(Vec<Budget>, Millis)>,
    /// When the call began that takes the next lot, if one is on its way.
    asking: Option<Millis>,
}

impl Account {
    pub(super) fn new(number: u64, limits: &[Limit], now: Millis) -> Self {
        Account {
            number,
            limits: limits.to_vec(),
            lots: Vec::new(),
            last_request: now,
            demand: Demand::default(),
            report: None,
            asking: None,
        }
    }

    /// Spends the cost of a request if a lot has it. Returns the verdict and the time of the charge.
    pub(super) fn spend(&mut self, cost: u64, now: Millis) -> Option<(Verdict, Millis)> {
        let counts_requests = self.counts_requests();
        let pays =
            |lot: &&mut Lot| is_spendable(lot, now) && lot.units >= cost && (lot.requests > 0 || !counts_requests);
        let lot = self.lots.iter_mut().find(pays)?;
        lot.units -= cost;
        lot.requests = lot.requests.saturating_sub(1);
        let charged_at = lot.charged_at;
        Some((self.allow(now)?, charged_at))
    }

    /// Returns for how many further requests of this cost the request should take units at `now`. Counts the request as
    /// demand.
    ///
    /// Returns 0 while more than half of the expected demand is held. Then one request takes the next lot while the others
    /// spend the rest. That lot makes up for what will be spent before it ends, with a margin, so that little has to be given
    /// back.
    pub(super) fn requests_to_take(&mut self, rule: PrefetchRule, cost: u64, now: Millis) -> u64 {
        self.last_request = now;
        let demand = self.demand.count(cost, now, rule.hold());
        let expected = rule.units().min(demand.units - demand.units / MARGIN);
        let held = self.held_for(cost, now);
        let asks = self.asking.is_some_and(|since| now.saturating_sub(since) < LONGEST_CALL);
        if asks || demand.requests < 2 || held > expected / 2 {
            return 0;
        }
        let Some((budgets, at)) = &self.report else { return 0 };
        let passed = now.saturating_sub(*at);
        if passed > rule.hold() || !budgets.iter().all(|budget| rule.may_take(budget, passed)) {
            return 0;
        }
        // Of the tightest limit, at most a quarter of what remains after the request itself.
        let remaining = budgets.iter().map(|budget| budget.remaining / budget.limit.charge_for(cost).max(1)).min();
        let quarter = remaining.unwrap_or(0).saturating_sub(1) / 4;
        let all = self.spendable(now).map(|lot| lot.units).fold(0, u64::saturating_add);
        let room = expected.saturating_sub(held).min(rule.units().saturating_sub(all));
        quarter.min(room / cost.max(1))
    }

    /// Notes that a call that began at `since` takes the next lot.
    pub(super) fn begin_call(&mut self, since: Millis) {
        self.asking = Some(since);
    }

    /// Returns whether a call is on its way that takes the next lot.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Notes that the call that began at `since` has ended. If it has failed, Redis may have charged its units: the next
    /// request asks only for itself, and so learns what remains.
    pub(super) fn end_call(&mut self, since: Millis, has_failed: bool) {
        self.asking.take_if(|asking| *asking == since);
        if has_failed {
            self.report = None;
        }
    }

    /// Notes what Redis reported to a call that began at `asked`. Of two calls on their way, the later one counts.
    pub(super) fn note_report(&mut self, budgets: &[Budget], asked: Millis) {
        if self.report.as_ref().is_none_or(|(_, at)| *at <= asked) {
            self.report = Some((budgets.to_vec(), asked));
        }
    }

    /// Notes that these units were given back to these limits, by a call that began at `now`.
    pub(super) fn note_given_back(&mut self, limits: &[Limit], units: &[u64], now: Millis) {
        let Some((budgets, _)) = self.report.as_mut().filter(|(_, at)| *at <= now) else { return };
        for (limit, units) in limits.iter().zip(units) {
            if let Some(budget) = budgets.iter_mut().find(|budget| budget.limit == *limit) {
                budget.remaining = budget.remaining.saturating_add(*units).min(limit.capacity());
            }
        }
    }

    /// Adds to each budget the units that are held.
    pub(super) fn with_held(&self, verdict: Verdict, now: Millis) -> Verdict {
        let add = |mut budgets: Vec<Budget>| {
            for budget in &mut budgets {
                let held = self.spendable(now).map(|lot| lot.left_for(&budget.limit)).fold(0, u64::saturating_add);
                budget.remaining = budget.remaining.saturating_add(held).min(budget.limit.capacity());
            }
            budgets
        };
        match verdict {
            Verdict::Allow(budgets) => Verdict::Allow(add(budgets)),
            Verdict::Deny(budgets) => Verdict::Deny(add(budgets)),
        }
    }

    /// Returns the verdict on a request that was just paid from a lot: what Redis last said is left, and what is held.
    fn allow(&self, now: Millis) -> Option<Verdict> {
        let (budgets, at) = self.report.as_ref()?;
        let passed = now.saturating_sub(*at);
        let later = |budget: &Budget| Budget {
            limit: budget.limit.clone(),
            remaining: budget.remaining,
            retry: Retry::Now,
            reset: budget.reset.saturating_sub(passed),
        };
        Some(self.with_held(Verdict::Allow(budgets.iter().map(later).collect()), now))
    }

    /// Returns the units that requests of this cost can spend.
    fn held_for(&self, cost: u64, now: Millis) -> u64 {
        let (cost, counts_requests) = (cost.max(1), self.counts_requests());
        let for_cost = |lot: &Lot| {
            let requests = lot.units / cost;
            cost * if counts_requests { requests.min(lot.requests) } else { requests }
        };
        self.spendable(now).map(for_cost).fold(0, u64::saturating_add)
    }

    fn spendable(&self, now: Millis) -> impl Iterator<Item = &Lot> {
        self.lots.iter().filter(move |lot| is_spendable(lot, now))
    }

    fn counts_requests(&self) -> bool {
        self.limits.iter().any(Limit::counts_requests)
    }
}

/// Returns whether a lot may be spent at `now`. A clock that was set back must not prolong it.
fn is_spendable(lot: &Lot, now: Millis) -> bool {
    lot.taken <= now && now < lot.end
}

/// One part in this many of the recent demand is not taken in advance.
const MARGIN: u64 = 8;

/// The longest `timeout` that can be configured: by then a call is over, or was abandoned.
const LONGEST_CALL: Millis = Millis::from_secs(30);
