//! What a request is charged, and what is corrected when the origin has answered.

use std::sync::Arc;

use crate::config::routes::Route;
use crate::limit::Limit;

/// The limits that judge a request, and what it costs.
///
/// A route's cost is charged to the route's own limits; those of the plan then count requests. On a route without
/// limits of its own the plan's are charged.
#[derive(Debug, Clone)]
pub struct Charge {
    limits: Vec<Limit>,
    route: Option<Arc<Route>>,
}

/// What was charged, and what the request really cost, at some limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The limits.
    pub limits: Vec<Limit>,
    /// What the check charged, in units.
    pub charged: u64,
    /// The real cost, in units.
    pub real: u64,
}

impl Charge {
    pub(super) fn new(plan: Vec<Limit>, meters: &[Limit], route: Option<&Arc<Route>>) -> Self {
        let own = route.map_or(&[][..], |route| &route.limits);
        let mut limits = plan;
        limits.extend_from_slice(meters);
        if !own.is_empty() {
            limits = limits.into_iter().map(Limit::counting_requests).collect();
            limits.extend_from_slice(own);
        }
        Charge { limits, route: route.cloned() }
    }

    /// The limits: the plan's, the meters, the route's own.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What the request costs, in units.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.route.as_ref().map_or(1, |route| route.cost)
    }

    /// Whether the request is let through whatever the limits say.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.shadow)
    }

    /// The header of the origin's answer that tells the real cost.
    #[must_use]
    pub fn settled_by(&self) -> Option<&str> {
        self.route.as_ref()?.settle.as_deref()
    }

    /// What has to be corrected after an answer with this status, which tells a real cost or none: nothing, where
    /// the request cost what it was charged.
    #[must_use]
    pub fn corrections(&self, status: u16, told: Option<u64>) -> Vec<Correction> {
        let Some(route) = &self.route else { return Vec::new() };
        let of_requests = Correction {
            limits: self.limits.iter().filter(|limit| limit.counts_requests()).cloned().collect(),
            charged: 1,
            real: u64::from(!route.is_free(status)),
        };
        let of_cost = Correction {
            limits: self.limits.iter().filter(|limit| !limit.counts_requests()).cloned().collect(),
            charged: route.cost,
            real: route.real_cost(status, told),
        };
        let mut corrections = vec![of_requests, of_cost];
        corrections.retain(|correction| !correction.limits.is_empty() && correction.charged != correction.real);
        corrections
    }

    /// Whether something is left to do when the origin has answered: then the request needs an id.
    #[must_use]
    pub fn outlives_answer(&self) -> bool {
        self.leases().next().is_some() || self.route.as_ref().is_some_and(|route| route.may_correct())
    }

    /// The limits that gave the request a lease, which ends with the request.
    pub fn leases(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(|limit| limit.needs_lease())
    }
}
