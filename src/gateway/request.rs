//! Decides what to do with a request: refuse it, forward it, or check it, and with which limits and cost.
//!
//! [`find_route`] and [`RoutedRequest::new`] decide what is possible without Redis. If an API key matters, the caller
//! resolves it and passes the result to [`RoutedRequest::identify`].

use std::sync::Arc;

use super::charge::{Charge, PlanInForce};
use crate::config::costs::RequestReading;
use crate::config::routes::{Requirement, Route, RouteMatch, stays_below_base};
use crate::config::{Config, Identify, OnOutage, Origin, without_segments};
use crate::http::RequestFacts;
use crate::http::problem::Problem;
use crate::jwt::{Identity, InvalidToken, Token};
use crate::limit::{Limit, Subject, usage};
use crate::tenant::{ApiKey, Caller, InvalidKey, Status, TenantId, UnknownPlan};
use crate::time::Millis;

/// A request with its route, before its client is identified.
#[derive(Debug)]
pub struct RoutedRequest<'a> {
    config: &'a Config,
    facts: &'a RequestFacts,
    route: Option<&'a Arc<Route>>,
    key: Option<Result<ApiKey, InvalidKey>>,
    /// The token, unless this request is identified by something else.
    token: Option<Result<Token, InvalidToken>>,
}

/// A request with its subject and its charge.
#[derive(Debug)]
pub struct IdentifiedRequest {
    /// The subject that is charged.
    pub subject: Subject,
    /// The tenant of the request's API key, if any.
    pub tenant: Option<TenantId>,
    /// The subject of the request's token, if it is identified by one: the value of the claim.
    pub token_subject: Option<String>,
    /// The charge, or `None` if the request is not limited.
    pub charge: Option<Charge>,
    /// The plan of the tenant or of the token, if the configuration does not have it. The default plan applies instead.
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

/// Checks that no server reads the path of an onward request as one outside of the origin's base path.
///
/// # Errors
/// Returns the refusal.
pub fn check_base_path(facts: &RequestFacts, origin: &Origin, route: Option<&Arc<Route>>) -> Result<(), Problem> {
    let strip = route.map_or(0, |route| route.onward.strip);
    if origin.base_path().is_empty() || stays_below_base(without_segments(&facts.path, strip)) {
        return Ok(());
    }
    Err(Problem::ambiguous_path())
}

impl<'a> RoutedRequest<'a> {
    /// Creates a request with its route.
    ///
    /// # Errors
    /// Returns the refusal if the request alone decides it: the address is denied, a required key or token is missing, or the
    /// one that counts is malformed.
    pub fn new(facts: &'a RequestFacts, config: &'a Config, route: Option<&'a Arc<Route>>) -> Result<Self, Problem> {
        if route.is_some_and(|route| route.denies(facts.address)) {
            return Err(Problem::address_denied());
        }
        let key = facts.api_key.as_deref().map(ApiKey::parse);
        let mut request = RoutedRequest { config, facts, route, key, token: None };
        request.token = facts.token.as_deref().filter(|_| request.may_use_token()).and_then(Token::parse);
        match &request.token {
            None if request.needs_token() => return Err(Problem::token_required()),
            Some(Err(reason)) if request.token_counts(false) => return Err(Problem::invalid_token(*reason)),
            _ => {}
        }
        match request.key {
            None if request.needs_key() => Err(Problem::key_required()),
            Some(Err(_)) if request.needs_key() => Err(Problem::unknown_key()),
            _ => Ok(request),
        }
    }

    /// Returns the API key to resolve before the request can be identified, if any.
    #[must_use]
    pub fn key(&self) -> Option<&ApiKey> {
        let matters = self.needs_key()
            || (!self.needs_token() && !self.is_unlimited() && self.first_way(false) == Some(&Identify::ApiKey));
        self.key.as_ref().and_then(|key| key.as_ref().ok()).filter(|_| matters)
    }

    /// Returns the token to verify before the request can be identified, if any. `key` is the result of resolving the API
    /// key: if it belongs to a tenant, that is who sent the request.
    ///
    /// # Errors
    /// Returns the refusal if the token is malformed.
    pub fn token(&self, key: &Caller) -> Result<Option<&Token>, Problem> {
        let key_failed = matches!(key, Caller::UnknownKey);
        match &self.token {
            Some(token) if !matches!(key, Caller::Tenant(..)) && self.token_counts(key_failed) => {
                token.as_ref().map(Some).map_err(|reason| Problem::invalid_token(*reason))
            }
            _ => Ok(None),
        }
    }

    /// Returns the outage policy of this request if the keys that verify its token are unavailable. A route that needs a
    /// token is closed.
    #[must_use]
    pub fn without_token_keys(&self) -> OnOutage {
        if self.needs_token() { OnOutage::Closed } else { self.on_outage(false) }
    }

    /// Returns what to read of this request before it is checked, if anything.
    #[must_use]
    pub fn reading(&self) -> Option<&'a RequestReading> {
        self.route?.reading.as_ref().filter(|_| !self.is_unlimited())
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
    /// Returns the refusal if the tenant is suspended, or if a required key or token is not valid.
    pub fn identify(&self, caller: Caller, now: Millis) -> Result<IdentifiedRequest, Problem> {
        let tenant = match caller {
            Caller::Tenant(_, tenant) if tenant.status() == Status::Suspended => return Err(Problem::suspended()),
            Caller::Subject(_) | Caller::UnknownKey | Caller::Anonymous if self.needs_key() => {
                return Err(Problem::unknown_key());
            }
            Caller::Tenant(..) | Caller::UnknownKey | Caller::Anonymous if self.needs_token() => {
                return Err(Problem::token_required());
            }
            Caller::Subject(identity) => return Ok(self.identified_by_token(identity)),
            Caller::Tenant(id, tenant) => Some((id, tenant)),
            Caller::UnknownKey | Caller::Anonymous => None,
        };
        let (plan, unknown_plan) = match &tenant {
            Some((_, tenant)) => match tenant.limits(self.config, now) {
                Ok(limits) => {
                    (PlanInForce { name: tenant.plan(), limits, prefetch: tenant.prefetch(self.config) }, None)
                }
                Err(unknown) => (self.default_plan(), Some(unknown)),
            },
            None => (self.default_plan(), None),
        };
        let meters = (tenant.is_some() && self.config.usage).then(usage::meters);
        let meters = meters.as_ref().map_or(&[][..], |meters| &meters[..]);
        let charge = self.charge(plan, meters);
        let tenant = tenant.map(|(id, _)| id);
        Ok(IdentifiedRequest {
            subject: tenant.as_ref().map_or_else(|| self.unproved_subject(), TenantId::subject),
            charge,
            tenant,
            token_subject: None,
            unknown_plan,
        })
    }

    /// Determines the subject and the charge of a request with a valid token. Usage is metered for tenants only.
    fn identified_by_token(&self, identity: Identity) -> IdentifiedRequest {
        let (plan, unknown_plan) = match &identity.plan {
            None => (self.default_plan(), None),
            Some(name) => {
                if let Some(plan) = self.config.plans.get(name) {
                    (PlanInForce::new(name, plan), None)
                } else {
                    let plan = name.chars().take(MAX_LOGGED_PLAN).collect();
                    (self.default_plan(), Some(UnknownPlan { plan }))
                }
            }
        };
        IdentifiedRequest {
            subject: Subject::token(&identity.subject),
            charge: self.charge(plan, &[]),
            tenant: None,
            token_subject: Some(identity.subject),
            unknown_plan,
        }
    }

    /// Returns the charge under these limits, or under those of the route's plan if it has one.
    fn charge(&self, plan: PlanInForce<'_>, meters: &[Limit]) -> Option<Charge> {
        let of_route = self.route.and_then(|route| {
            let name = route.plan.as_ref()?;
            Some(PlanInForce::new(name, self.config.plans.get(name)?))
        });
        (!self.is_unlimited()).then(|| Charge::new(of_route.unwrap_or(plan), meters, self.route))
    }

    fn default_plan(&self) -> PlanInForce<'_> {
        PlanInForce::new(&self.config.default_plan_name, &self.config.default_plan)
    }

    /// Returns the subject of a request that neither a key nor a token identifies: a header or the address, whichever comes
    /// first and is there.
    fn unproved_subject(&self) -> Subject {
        let header = self.config.identify.iter().find_map(|way| match way {
            Identify::Header(name) => self.header(name).map(|value| Some(Subject::header(name, value))),
            Identify::Address if self.facts.address.is_some() => Some(None),
            _ => None,
        });
        header.flatten().unwrap_or_else(|| self.client())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.facts.identity_headers.iter().find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    pub(super) fn config(&self) -> &Config {
        self.config
    }

    pub(super) fn facts(&self) -> &RequestFacts {
        self.facts
    }

    pub(super) fn route(&self) -> Option<&Route> {
        self.route.map(Arc::as_ref)
    }

    fn needs_key(&self) -> bool {
        self.route.is_some_and(|route| route.require_key)
    }

    fn needs_token(&self) -> bool {
        self.route.is_some_and(|route| route.require == Some(Requirement::Jwt))
    }

    /// Returns whether a token may count, without looking at what else identifies the request.
    fn may_use_token(&self) -> bool {
        self.needs_token() || !(self.needs_key() || self.is_unlimited())
    }

    /// Returns whether the token identifies the request: the route needs one, or nothing comes before it.
    fn token_counts(&self, key_failed: bool) -> bool {
        self.needs_token() || (self.may_use_token() && self.first_way(key_failed) == Some(&Identify::Jwt))
    }

    fn is_unlimited(&self) -> bool {
        self.route.is_some_and(|route| route.exempt || route.allows(self.facts.address))
    }

    /// Returns the first way to identify the client for which the request has something, before anything is verified. With
    /// `key_failed`, its API key does not count.
    fn first_way(&self, key_failed: bool) -> Option<&Identify> {
        self.config.identify.iter().find(|way| match way {
            Identify::ApiKey => matches!(self.key, Some(Ok(_))) && !key_failed,
            Identify::Jwt => self.token.is_some(),
            Identify::Header(name) => self.header(name).is_some(),
            Identify::Address => self.facts.address.is_some(),
        })
    }
}

/// Characters of an unknown plan in the log.
const MAX_LOGGED_PLAN: usize = 64;

#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod tests;
