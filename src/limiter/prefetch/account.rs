//! The units that an isolate holds for one subject and its limits.

use super::demand::Demand;
use super::lot::{Leftover, Lot};
use crate::limit::{Budget, Limit, PrefetchRule, Retry, Verdict};
use crate::time::Millis;

/// The units that an isolate holds for one subject and one list of limits, and what it knows of them.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) number: u64,
    pub(super) limits: Vec<Limit>,
    pub(super) lots: Vec<Lot>,
    /// The time of the last request.
    pub(super) seen: Millis,
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
            seen: now,
            demand: Demand::default(),
            report: None,
            asking: None,
        }
    }

    /// Spends the cost of a request if a lot has it. Returns the verdict and the time of the charge.
    pub(super) fn spend(&mut self, cost: u64, now: Millis) -> Option<(Verdict, Millis)> {
        let lot = self.lots.iter_mut().find(|lot| can_spend(lot, now) && lot.units >= cost && lot.requests > 0)?;
        lot.units -= cost;
        lot.requests -= 1;
        let charged_at = lot.charged_at;
        Some((self.allow(now)?, charged_at))
    }

    /// Returns for how many further requests of this cost units should be taken at `now`, together with the request's own.
    /// Counts the request as demand.
    ///
    /// None as long as half of that is held which will probably be spent within the hold. Then one request takes the next lot while the others spend the rest.
    /// That lot makes up for what will be spent before it ends, with a margin, so that little has to be given back.
    pub(super) fn wanted(&mut self, rule: PrefetchRule, cost: u64, now: Millis) -> u64 {
        self.seen = now;
        let demand = self.demand.count(cost, now, rule.hold());
        let held = self.held(now);
        let asks = self.asking.is_some_and(|since| now.get().saturating_sub(since.get()) < LONGEST_CALL.get());
        let target = rule.units().min(demand.units - demand.units / MARGIN);
        if asks || demand.requests < 2 || held > target / 2 {
            return 0;
        }
        let Some((budgets, at)) = &self.report else { return 0 };
        let is_old = now.get().saturating_sub(at.get()) > rule.hold().get();
        if is_old || !self.limits.iter().all(|limit| rule.may_take(limit, now)) {
            return 0;
        }
        // Of the tightest limit, at most a quarter of what remains after the request itself.
        let remaining = budgets.iter().map(|budget| budget.remaining / budget.limit.charge_for(cost).max(1)).min();
        let quarter = remaining.unwrap_or(0).saturating_sub(1) / 4;
        quarter.min(target.saturating_sub(held) / cost.max(1))
    }

    /// Notes that a call is on its way that takes the next lot, or that it has ended.
    pub(super) fn set_asking(&mut self, since: Option<Millis>) {
        self.asking = since;
    }

    /// Adds a lot.
    pub(super) fn add(&mut self, lot: Lot) {
        self.lots.push(lot);
    }

    /// Notes what Redis reported to a call that began at `asked`. Of two calls on their way, the later one counts.
    pub(super) fn note_report(&mut self, budgets: &[Budget], asked: Millis) {
        if self.report.as_ref().is_none_or(|(_, at)| *at <= asked) {
            self.report = Some((budgets.to_vec(), asked));
        }
    }

    /// Notes that what is left of a lot was given back to these limits, by a call that began at `now`.
    pub(super) fn note_given_back(&mut self, leftover: &Leftover, limits: &[Limit], now: Millis) {
        let Some((budgets, _)) = self.report.as_mut().filter(|(_, at)| *at <= now) else { return };
        for budget in budgets.iter_mut().filter(|budget| limits.contains(&budget.limit)) {
            let units = leftover.left_for(&budget.limit);
            budget.remaining = budget.remaining.saturating_add(units).min(budget.limit.capacity());
        }
    }

    /// Adds to each budget the units that are held.
    pub(super) fn with_held(&self, verdict: Verdict, now: Millis) -> Verdict {
        let add = |mut budgets: Vec<Budget>| {
            for budget in &mut budgets {
                let lots = self.lots.iter().filter(|lot| can_spend(lot, now));
                let held = lots.map(|lot| lot.left_for(&budget.limit)).fold(0, u64::saturating_add);
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
        let passed = now.get().saturating_sub(at.get());
        let later = |budget: &Budget| Budget {
            limit: budget.limit.clone(),
            remaining: budget.remaining,
            retry: Retry::Now,
            reset: Millis::new(budget.reset.get().saturating_sub(passed)),
        };
        Some(self.with_held(Verdict::Allow(budgets.iter().map(later).collect()), now))
    }

    /// Returns the units that are held and may be spent.
    fn held(&self, now: Millis) -> u64 {
        let lots = self.lots.iter().filter(|lot| can_spend(lot, now));
        lots.map(|lot| lot.units).fold(0, u64::saturating_add)
    }
}

/// Returns whether a lot may be spent at `now`. A clock that was set back must not prolong it.
fn can_spend(lot: &Lot, now: Millis) -> bool {
    lot.taken <= now && now < lot.end
}

/// One part in this many of the recent demand is not taken in advance.
const MARGIN: u64 = 8;

/// A call to Redis is over by then, or was abandoned.
const LONGEST_CALL: Millis = Millis::from_secs(10);
