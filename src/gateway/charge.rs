//! The charge of a request, and its correction after the response.

use std::sync::Arc;

use crate::config::costs::{Settle, SettleRule};
use crate::config::routes::Route;
use crate::http::usage::Reported;
use crate::limit::{Limit, Plan, PrefetchRule};

/// The limits that check a request, and its cost.
///
/// A route's cost is charged to the route's own limits; those of the plan then count requests. On a route without its
/// own limits, the cost is charged to the plan's.
#[derive(Debug, Clone)]
pub struct Charge {
    plan: String,
    limits: Vec<Limit>,
    route: Option<Arc<Route>>,
    cost: u64,
    prefetch: Option<PrefetchRule>,
}

/// A plan with the limits that apply to one caller: a tenant may have overrides.
pub(super) struct PlanInForce<'a> {
    pub(super) name: &'a str,
    pub(super) limits: Vec<Limit>,
    pub(super) prefetch: Option<PrefetchRule>,
}

impl<'a> PlanInForce<'a> {
    /// Returns a plan as it is in the configuration.
    pub(super) fn new(name: &'a str, plan: &Plan) -> Self {
        PlanInForce { name, limits: plan.limits().to_vec(), prefetch: plan.prefetch() }
    }
}

/// A correction at some limits: what was charged, and the real cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeCorrection {
    /// The limits to correct.
    pub limits: Vec<Limit>,
    /// The cost that the check charged, in units.
    pub charged: u64,
    /// The real cost, in units.
    pub real: u64,
}

impl Charge {
    /// Creates the charge of a request under a plan. The plan's rule for prefetching does not apply
    /// if a limit of the route does not fit it, or if the costs of requests differ: the response tells
    /// the real one, or the request its own.
    pub(super) fn new(plan: PlanInForce<'_>, meters: &[Limit], route: Option<&Arc<Route>>) -> Self {
        let own = route.map_or(&[][..], |route| &route.limits);
        let PlanInForce { name, mut limits, prefetch } = plan;
        limits.extend_from_slice(meters);
        if !own.is_empty() {
            limits = limits.into_iter().map(Limit::counting_requests).collect();
            limits.extend_from_slice(own);
        }
        let varies = route.is_some_and(|route| route.settle.is_some() || route.reading.is_some());
        let prefetch = prefetch.filter(|rule| !varies && rule.fits(own));
        let cost = route.map_or(1, |route| route.cost);
        Charge { plan: name.to_owned(), limits, route: route.cloned(), cost, prefetch }
    }

    /// Sets the cost that the request tells itself, cut to what the limits can hold: a higher one could never pass.
    pub fn set_cost(&mut self, cost: u64) {
        let capacity = self.limits.iter().filter(|limit| !limit.counts_requests()).map(Limit::capacity).min();
        self.cost = cost.min(capacity.unwrap_or(cost));
    }

    /// Returns the name of the plan.
    #[must_use]
    pub fn plan(&self) -> &str {
        &self.plan
    }

    /// Returns the limits: the plan's, the usage meters, the route's own.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Returns the rule by which units are taken in advance, if they are.
    #[must_use]
    pub fn prefetch(&self) -> Option<PrefetchRule> {
        self.prefetch
    }

    /// Returns the cost of the request, in units.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Returns whether the request is forwarded whatever the verdict.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.shadow)
    }

    /// Returns where the origin's response tells the real cost.
    #[must_use]
    pub fn settled_by(&self) -> Option<&Arc<Settle>> {
        self.route.as_ref()?.settle.as_ref()
    }

    /// Returns the route, if there is one.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        self.route.as_deref()
    }

    /// Returns the corrections after a response with this status that reports these costs, in the order of the rules of
    /// [`Charge::settled_by`]. Empty if the request cost what it was charged.
    #[must_use]
    pub fn corrections(&self, status: u16, reported: &[Reported]) -> Vec<ChargeCorrection> {
        let Some(route) = &self.route else { return Vec::new() };
        let is_free = route.is_free(status);
        let correction = |counts: &dyn Fn(&Limit) -> bool, charged: u64, real: u64| ChargeCorrection {
            limits: self.limits.iter().filter(|limit| counts(limit)).cloned().collect(),
            charged,
            real: if is_free { 0 } else { real },
        };
        let rules = self.settled_by().map_or(&[][..], |settle| settle.rules());
        let mut corrections = vec![correction(&Limit::counts_requests, 1, 1)];
        for (i, rule) in rules.iter().enumerate() {
            let real = match reported.get(i) {
                Some(Reported::Cost(cost)) => *cost,
                Some(Reported::AtLeast(cost)) => self.cost.max(*cost),
                Some(Reported::Nothing) | None => self.cost,
            };
            corrections.push(correction(&|limit| applies(rule, limit), self.cost, real));
        }
        let has_rule = |limit: &Limit| rules.iter().any(|rule| applies(rule, limit));
        corrections.push(correction(&|limit| !limit.counts_requests() && !has_rule(limit), self.cost, self.cost));
        corrections.retain(|correction| !correction.limits.is_empty() && correction.charged != correction.real);
        corrections
    }

    /// Returns whether something is left to do after the response. The request then needs an id.
    #[must_use]
    pub fn outlives_answer(&self) -> bool {
        self.leases().next().is_some() || self.route.as_ref().is_some_and(|route| route.may_correct())
    }

    /// Returns the limits that grant a lease, which ends with the request.
    pub fn leases(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(|limit| limit.needs_lease())
    }
}

/// Returns whether a rule tells the cost at a limit.
fn applies(rule: &SettleRule, limit: &Limit) -> bool {
    !limit.counts_requests() && rule.limit.as_ref().is_none_or(|name| name == limit.name())
}
