//! Explains a request: calls what the gateway calls, in the order of a request.

use std::sync::Arc;

use super::caller::caller_of;
use super::credentials::Credentials;
use super::explanation::{Cost, Explanation, Outcome};
use super::onward::onward;
use super::request::RequestToExplain;
use super::sentences;
use crate::config::costs::RequestReading;
use crate::config::routes::Route;
use crate::config::{Config, OnOutage, Origin};
use crate::gateway::charge::Charge;
use crate::gateway::onward::{AllowedRequest, origin_of};
use crate::gateway::partition::RequestValues;
use crate::gateway::preflight::AnnouncedRequest;
use crate::gateway::request::{IdentifiedRequest, RoutedRequest, check_base_path, find_route};
use crate::http::Destination;
use crate::http::problem::Problem;
use crate::http::usage::{body_to_read, read_request};
use crate::jwt::{Identity, InvalidToken, Token};
use crate::tenant::{ApiKey, Caller};
use crate::time::Millis;

/// Explains one request under a configuration.
///
/// The caller looks up the [`key`](Explainer::key) and verifies the [`token`](Explainer::token) if the request has one that
/// counts, and passes the result to [`explain`](Explainer::explain).
#[derive(Debug, Clone, Copy)]
pub struct Explainer<'a> {
    config: &'a Config,
    /// Where requests go, unless their route has its own origin.
    origin: &'a Origin,
    request: &'a RequestToExplain,
    now: Millis,
}

impl<'a> Explainer<'a> {
    /// Creates an explainer of a request at `now`.
    #[must_use]
    pub fn new(config: &'a Config, origin: &'a Origin, request: &'a RequestToExplain, now: Millis) -> Self {
        Explainer { config, origin, request, now }
    }

    /// Returns the API key to look up, if there is one that counts.
    #[must_use]
    pub fn key(&self) -> Option<ApiKey> {
        self.limited()?.key().cloned()
    }

    /// Returns the token to verify, if there is one that counts besides the API key.
    #[must_use]
    pub fn token(&self, key: &Credentials) -> Option<Token> {
        self.limited()?.token(key.caller.as_ref().ok()?).ok()?.cloned()
    }

    /// Adds the result of verifying the token: who it names, the reason why it is not valid, or an error if the keys are
    /// unavailable, which are not fetched again within that time.
    #[must_use]
    pub fn with_token(
        &self,
        key: Credentials,
        verified: Result<Result<Identity, InvalidToken>, Millis>,
    ) -> Credentials {
        match verified {
            Ok(result) => key.with_identity(result, true, "The token is valid."),
            Err(retry) => {
                let caller = match self.limited().map(|request| request.without_token_keys()) {
                    Some(OnOutage::Closed) => Err(Problem::token_keys_unavailable(retry)),
                    _ => Ok(Caller::Anonymous),
                };
                Credentials { caller, ..key }.with_step("The token was not verified: the keys for it are unavailable.")
            }
        }
    }

    /// Adds what the token claims, if there is nothing to verify it with: as if its signature were valid.
    #[must_use]
    pub fn with_assumed_token(&self, key: Credentials, token: &Token) -> Credentials {
        let Some(rules) = &self.config.jwt else { return key };
        let claimed = Identity::claimed(token, rules, self.now);
        key.with_identity(claimed, false, "The signature of the token was not verified: this assumes that it is valid.")
    }

    /// Explains the request.
    #[must_use]
    pub fn explain(&self, credentials: Credentials) -> Explanation<'a> {
        let mut explanation = Explanation::begin();
        if let Err(problem) = self.decide(credentials, &mut explanation) {
            explanation.say(sentences::refusal(&problem));
            explanation.outcome = Outcome::Refuse(problem);
        }
        explanation
    }

    /// Decides as the gateway does, and records what each step has established.
    ///
    /// # Errors
    /// Returns the refusal if a step before the check refuses the request.
    fn decide(&self, credentials: Credentials, explanation: &mut Explanation<'a>) -> Result<(), Problem> {
        let facts = &self.request.facts;
        if facts.destination() != Destination::Origin {
            explanation.outcome = Outcome::Own;
            explanation.say(sentences::OWN_PATH);
            return Ok(());
        }
        if let Some(announced) = self.announced() {
            self.explain_preflight(&announced, explanation);
            return Ok(());
        }
        let route = find_route(facts, self.config)?;
        self.set_route(route, explanation);
        check_base_path(facts, origin_of(route, self.origin), route)?;
        let request = RoutedRequest::new(facts, self.config, route)?;
        explanation.steps.extend(sentences::unused_key(facts.api_key.as_deref(), request.key().is_some()));
        explanation.steps.extend(credentials.steps);
        let caller = credentials.caller?;
        if !matches!(caller, Caller::Subject(_)) {
            // A malformed token is refused.
            request.token(&caller)?;
        }
        let on_outage = request.on_outage(matches!(caller, Caller::Tenant(..)));
        let mut identified = request.identify(caller, self.now)?;
        if identified.needs_values() {
            let (fields, query) = (self.request.fields(), self.request.url.query());
            request.partition(&mut identified, &RequestValues { fields, query, place: self.request.place() })?;
        }
        explanation.steps.extend(identified.unknown_plan.as_ref().map(sentences::unknown_plan));
        let caller = caller_of(&request, &identified, credentials.verified);
        explanation.say(sentences::caller(&caller));
        explanation.caller = Some(caller);
        match identified.charge.take() {
            Some(charge) => self.explain_check(&request, charge, on_outage, explanation)?,
            None => explanation.say(sentences::exempt(route.is_some_and(|route| route.exempt))),
        }
        self.explain_forwarding(route, Some(&identified), explanation);
        if let Some(charge) = &explanation.charge {
            sentences::after(charge, &mut explanation.steps);
        }
        Ok(())
    }

    /// Sets the cost and explains the check of the limits.
    ///
    /// # Errors
    /// Returns the refusal if the body that should tell the cost has a key twice.
    fn explain_check(
        &self,
        request: &RoutedRequest<'_>,
        mut charge: Charge,
        on_outage: OnOutage,
        explanation: &mut Explanation<'a>,
    ) -> Result<(), Problem> {
        let has_cost = charge.route().is_some_and(|route| route.cost != 1);
        let mut from = if has_cost { "route" } else { "default" }.to_owned();
        if let Some(reading) = request.reading() {
            let body = self.body_for(reading);
            let read = read_request(reading, self.request.fields(), body)?;
            let source = read.source.and_then(|place| reading.sources.get(place));
            explanation.steps.extend(sentences::reading(reading, source, read.cost, body.is_some()));
            explanation.steps.extend(read.body.map(|_| sentences::INCLUDE_USAGE.to_owned()));
            if let (Some(cost), Some(source)) = (read.cost, source) {
                charge.set_cost(cost);
                from = reading.text_of(source);
            }
        }
        let cost = Cost { units: charge.cost(), from };
        sentences::limits(&charge, &mut explanation.steps);
        explanation.say(sentences::cost(&cost));
        explanation.say(if charge.is_shadow() { sentences::SHADOW } else { sentences::CHECK });
        explanation.say(sentences::on_outage(on_outage));
        explanation.outcome = Outcome::Check;
        explanation.on_outage = Some(on_outage);
        explanation.cost = Some(cost);
        explanation.charge = Some(charge);
        Ok(())
    }

    /// Returns the body if it is read, as the Worker reads it.
    fn body_for(&self, reading: &RequestReading) -> Option<&'a [u8]> {
        let most = body_to_read(reading, &self.request.facts.method, self.request.fields())?;
        self.request.body.as_deref().filter(|body| body.len() <= most)
    }

    fn explain_preflight(&self, announced: &AnnouncedRequest<'a>, explanation: &mut Explanation<'a>) {
        explanation.outcome = Outcome::Preflight;
        explanation.say(sentences::PREFLIGHT);
        self.set_route(announced.route, explanation);
        if announced.is_answered() {
            explanation.say(sentences::PREFLIGHT_ANSWERED);
        } else {
            self.explain_forwarding(announced.route, None, explanation);
        }
    }

    fn explain_forwarding(
        &self,
        route: Option<&'a Arc<Route>>,
        identified: Option<&IdentifiedRequest>,
        explanation: &mut Explanation<'a>,
    ) {
        let settle = explanation.charge.as_ref().and_then(Charge::settled_by);
        let secrets = self.config.concealed_secrets();
        let allowed = AllowedRequest {
            config: self.config,
            origin: self.origin,
            secrets: &secrets,
            facts: &self.request.facts,
            url: &self.request.url,
            fields: self.request.fields(),
            route,
            tenant: identified.and_then(|identified| identified.tenant.as_ref()),
            token_subject: identified.and_then(|identified| identified.token_subject.as_deref()),
            body_was_read: false,
            reads_response: settle.is_some_and(|settle| settle.reads_bodies()),
        };
        let Some(onward) = onward(&allowed) else { return };
        explanation.say(sentences::forwarding(&onward));
        explanation.onward = Some(onward);
    }

    fn set_route(&self, route: Option<&'a Arc<Route>>, explanation: &mut Explanation<'a>) {
        explanation.route = route.and_then(|route| Some((self.config.routes.place_of(route)?, route)));
        explanation.say(sentences::route(explanation.route));
    }

    /// Returns the request that this one announces, if it is a preflight.
    fn announced(&self) -> Option<AnnouncedRequest<'a>> {
        AnnouncedRequest::of(&self.request.facts, self.request.fields(), self.config, self.origin)
    }

    /// Returns the request before its caller is identified, unless it is not limited or refused.
    fn limited(&self) -> Option<RoutedRequest<'a>> {
        let facts = &self.request.facts;
        if facts.destination() != Destination::Origin || self.announced().is_some() {
            return None;
        }
        let route = find_route(facts, self.config).ok()?;
        check_base_path(facts, origin_of(route, self.origin), route).ok()?;
        RoutedRequest::new(facts, self.config, route).ok()
    }
}
