//! Decides what to do with a request: refuse it, forward it, or check it, and with which limits and cost.
//!
//! [`find_route`] and [`RoutedRequest::new`] decide what is possible without Redis. If an API key matters, the caller
//! resolves it and passes the result to [`RoutedRequest::identify`].

use std::sync::Arc;

use super::charge::Charge;
use crate::config::routes::{Route, RouteMatch};
use crate::config::{Config, Identify, OnOutage};
use crate::http::RequestFacts;
use crate::http::problem::Problem;
use crate::limit::{Subject, usage};
use crate::tenant::{ApiKey, Caller, InvalidKey, Status, TenantId, UnknownPlan};
use crate::time::Millis;

/// A request with its route, before its client is identified.
#[derive(Debug)]
pub struct RoutedRequest<'a> {
    config: &'a Config,
    facts: &'a RequestFacts,
    route: Option<&'a Arc<Route>>,
    key: Option<Result<ApiKey, InvalidKey>>,
}

/// A request with its subject and its charge.
#[derive(Debug)]
pub struct IdentifiedRequest {
    /// The subject that is charged.
    pub subject: Subject,
    /// The tenant of the request's API key, if any.
    pub tenant: Option<TenantId>,
    /// The charge, or `None` if the request is not limited.
    pub charge: Option<Charge>,
    /// The tenant's plan, if the configuration does not have it. The default plan applies instead.
    pub unknown_plan: Option<UnknownPlan>,
}

/// Finds the route of a request.
///
/// # Errors
/// Returns the refusal if the path is ambiguous.
pub fn find_route<'a>(facts: &RequestFacts, config: &'a Config) -> Result<Option<&'a Arc<Route>>, Problem> {
    match config.routes.find(&facts.method, &facts.path) {
        RouteMatch::Route(route) => Ok(Some(route)),
        RouteMatch::None => Ok(None),
        RouteMatch::Ambiguous => Err(Problem::ambiguous_path()),
    }
}

impl<'a> RoutedRequest<'a> {
    /// Creates a request with its route.
    ///
    /// # Errors
    /// Returns the refusal if the route alone decides it: the address is denied, or a required key is missing or
    /// malformed.
    pub fn new(facts: &'a RequestFacts, config: &'a Config, route: Option<&'a Arc<Route>>) -> Result<Self, Problem> {
        if route.is_some_and(|route| route.denies(facts.address)) {
            return Err(Problem::address_denied());
        }
        let request = RoutedRequest { config, facts, route, key: facts.api_key.as_deref().map(ApiKey::parse) };
        match request.key {
            None if request.needs_key() => Err(Problem::key_required()),
            Some(Err(_)) if request.needs_key() => Err(Problem::unknown_key()),
            _ => Ok(request),
        }
    }

    /// Returns the API key to resolve before the request can be identified, if any.
    #[must_use]
    pub fn key(&self) -> Option<&ApiKey> {
        let matters = self.needs_key() || (!self.is_unlimited() && self.identifies_by_key());
        self.key.as_ref().and_then(|key| key.as_ref().ok()).filter(|_| matters)
    }

    /// Returns the outage policy of this request. Without Redis a key cannot be verified, so a route that needs one is
    /// closed unless the tenant is known.
    #[must_use]
    pub fn on_outage(&self, tenant_known: bool) -> OnOutage {
        if self.needs_key() && !tenant_known {
            return OnOutage::Closed;
        }
        match self.route.and_then(|route| route.on_outage).unwrap_or(self.config.on_outage) {
            // A shadow never refuses.
            OnOutage::Closed if self.route.is_some_and(|route| route.shadow) => OnOutage::Open,
            policy => policy,
        }
    }

    /// Returns the subject by address alone.
    #[must_use]
    pub fn client(&self) -> Subject {
        Subject::client(self.facts.address, self.config.ipv6_prefix)
    }

    /// Determines the subject and the charge of a request from `caller`.
    ///
    /// # Errors
    /// Returns the refusal if the tenant is suspended, or if a required key is unknown.
    pub fn identify(&self, caller: Caller, now: Millis) -> Result<IdentifiedRequest, Problem> {
        let tenant = match caller {
            Caller::Tenant(_, tenant) if tenant.status() == Status::Suspended => return Err(Problem::suspended()),
            Caller::Tenant(id, tenant) => Some((id, tenant)),
            Caller::UnknownKey | Caller::Anonymous if self.needs_key() => return Err(Problem::unknown_key()),
            Caller::UnknownKey | Caller::Anonymous => None,
        };
        let default_plan = &self.config.default_plan;
        let of_default = || (default_plan.limits().to_vec(), default_plan.prefetch());
        let ((limits, prefetch), unknown_plan) = match &tenant {
            Some((_, tenant)) => match tenant.limits(self.config, now) {
                Ok(limits) => ((limits, tenant.prefetch(self.config)), None),
                Err(unknown) => (of_default(), Some(unknown)),
            },
            None => (of_default(), None),
        };
        let named = self.route.and_then(|route| self.config.plans.get(route.plan.as_ref()?));
        let (limits, prefetch) = named.map_or((limits, prefetch), |plan| (plan.limits().to_vec(), plan.prefetch()));
        let meters = (tenant.is_some() && self.config.usage).then(usage::meters);
        let meters = meters.as_ref().map_or(&[][..], |meters| &meters[..]);
        let tenant = tenant.map(|(id, _)| id);
        Ok(IdentifiedRequest {
            subject: tenant.as_ref().map_or_else(|| self.client(), TenantId::subject),
            charge: (!self.is_unlimited()).then(|| Charge::new(limits, prefetch, meters, self.route)),
            tenant,
            unknown_plan,
        })
    }

    fn needs_key(&self) -> bool {
        self.route.is_some_and(|route| route.require_key)
    }

    fn is_unlimited(&self) -> bool {
        self.route.is_some_and(|route| route.exempt || route.allows(self.facts.address))
    }

    /// Returns whether an API key takes precedence over the address. An unknown address does not apply.
    fn identifies_by_key(&self) -> bool {
        let applies = |way: &&Identify| **way == Identify::ApiKey || self.facts.address.is_some();
        self.config.identify.iter().find(applies) == Some(&Identify::ApiKey)
    }
}

#[cfg(test)]
mod tests;
