//! The charge of a request, and its correction after the response.

use std::sync::Arc;

use crate::config::routes::Route;
use crate::limit::{Limit, PrefetchRule};

/// The limits that check a request, and its cost.
///
/// A route's cost is charged to the route's own limits; those of the plan then count requests. On a route without its
/// own limits, the cost is charged to the plan's.
#[derive(Debug, Clone)]
pub struct Charge {
    limits: Vec<Limit>,
    route: Option<Arc<Route>>,
    prefetch: Option<PrefetchRule>,
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
    /// Creates the charge of a request under a plan with these limits. `prefetch` is the plan's rule. It does not apply
    /// if a limit of the route does not fit it, or if the response tells the real cost, which may be far above the cost.
    pub(super) fn new(
        plan: Vec<Limit>,
        prefetch: Option<PrefetchRule>,
        meters: &[Limit],
        route: Option<&Arc<Route>>,
    ) -> Self {
        let own = route.map_or(&[][..], |route| &route.limits);
        let mut limits = plan;
        limits.extend_from_slice(meters);
        if !own.is_empty() {
            limits = limits.into_iter().map(Limit::counting_requests).collect();
            limits.extend_from_slice(own);
        }
        let is_settled = route.is_some_and(|route| route.settle.is_some());
        let prefetch = prefetch.filter(|rule| !is_settled && rule.fits(own));
        Charge { limits, route: route.cloned(), prefetch }
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
        self.route.as_ref().map_or(1, |route| route.cost)
    }

    /// Returns whether the request is forwarded whatever the verdict.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.shadow)
    }

    /// Returns the header of the origin's response that carries the real cost.
    #[must_use]
    pub fn settled_by(&self) -> Option<&str> {
        self.route.as_ref()?.settle.as_deref()
    }

    /// Returns the corrections after a response with this status and, if it has one, this reported cost. Empty if the
    /// request cost what it was charged.
    #[must_use]
    pub fn corrections(&self, status: u16, reported: Option<u64>) -> Vec<ChargeCorrection> {
        let Some(route) = &self.route else { return Vec::new() };
        let of_requests = ChargeCorrection {
            limits: self.limits.iter().filter(|limit| limit.counts_requests()).cloned().collect(),
            charged: 1,
            real: u64::from(!route.is_free(status)),
        };
        let of_cost = ChargeCorrection {
            limits: self.limits.iter().filter(|limit| !limit.counts_requests()).cloned().collect(),
            charged: route.cost,
            real: route.real_cost(status, reported),
        };
        let mut corrections = vec![of_requests, of_cost];
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
