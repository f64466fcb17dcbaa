//! The decision of the gateway, natively: what the Worker does before and at the check of the limits.

use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};
use sluicegate::config::jwt::{KeySet, VerificationKey};
use sluicegate::config::{Config, Origin};
use sluicegate::gateway::{
    AnnouncedRequest, Place, RequestValues, RoutedRequest, check_base_path, find_route, origin_of,
};
use sluicegate::http::problem::Problem;
use sluicegate::http::usage::{body_to_read, read_request};
use sluicegate::http::{Destination, Fields, RequestFacts, push_field};
use sluicegate::jwt::{TokenVerifier, Verification, Verifier};
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{Algorithm, CheckRequest, LeaseId, Limit, Subject, usage};
use sluicegate::tenant::{ApiKey, Caller, Settings, Tenant, TenantId};
use sluicegate::time::Millis;
use url::Url;

use crate::tokens::SigningKey;

pub(crate) const NOW: Millis = Millis::from_secs(1_800_000_000);

pub(crate) static KEY: LazyLock<ApiKey> = LazyLock::new(|| ApiKey::generate(&TenantId::new("acme").unwrap(), [7; 20]));

thread_local! {
    pub(crate) static SIGNER: SigningKey = SigningKey::ed25519("d");
}

/// The claims of a valid token, with changes.
pub(crate) fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "iss": "i", "aud": "a", "sub": "alice", "exp": NOW.get() / 1000 + 60 });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

/// What the gateway does with a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Done {
    Own,
    Preflight,
    Refuse(u16),
    Exempt {
        subject: String,
    },
    /// Each limit with its key, and what a check takes from it.
    Check {
        subject: String,
        cost: u64,
        limits: Vec<(String, String, u64)>,
        on_outage: &'static str,
    },
}

/// A signature that is valid, as an explanation assumes.
struct Valid;

impl Verifier for Valid {
    async fn verifies(&self, _: &VerificationKey, _: &[u8], _: &[u8]) -> bool {
        ready(true).await
    }
}

/// Decides about a request, and returns the text of its route.
pub(crate) fn decide(config: &Config, origin: &Origin, request: &Value) -> (Option<String>, Done) {
    let mut lines = String::new();
    for (name, value) in request["headers"].as_object().unwrap() {
        push_field(&mut lines, name, value.as_str().unwrap());
    }
    if let Some(address) = request["address"].as_str() {
        push_field(&mut lines, "cf-connecting-ip", address);
    }
    let url = Url::parse(&format!("https://x.example{}", request["path"].as_str().unwrap())).unwrap();
    let fields = Fields::new(&lines);
    let facts = RequestFacts::read(request["method"].as_str().unwrap(), url.path(), fields, Some(config));
    if facts.destination() != Destination::Origin {
        return (None, Done::Own);
    }
    if let Some(announced) = AnnouncedRequest::of(&facts, fields, config, origin) {
        return (announced.route.map(|route| route.pattern.to_string()), Done::Preflight);
    }
    let route = match find_route(&facts, config) {
        Ok(route) => route,
        Err(problem) => return (None, Done::Refuse(problem.status)),
    };
    let done = check_base_path(&facts, origin_of(route, origin), route)
        .and_then(|()| RoutedRequest::new(&facts, config, route))
        .and_then(|routed| limit(&routed, config, fields, url.query(), &facts, request));
    let done = done.unwrap_or_else(|problem| Done::Refuse(problem.status));
    (route.map(|route| route.pattern.to_string()), done)
}

fn limit(
    routed: &RoutedRequest<'_>,
    config: &Config,
    fields: Fields<'_>,
    query: Option<&str>,
    facts: &RequestFacts,
    request: &Value,
) -> Result<Done, Problem> {
    let mut caller = match routed.key() {
        Some(key) => {
            let tenant = Tenant::new(Settings::new(request["plan"].as_str().unwrap())).unwrap();
            Caller::Tenant(key.tenant().clone(), Arc::new(tenant))
        }
        None => Caller::Anonymous,
    };
    if let Some(token) = routed.token(&caller)? {
        let keys = json!({ "keys": [SIGNER.with(SigningKey::jwk)] }).to_string();
        let verifier = TokenVerifier::new(config.jwt.clone().unwrap(), KeySet::parse(keys.as_bytes()).ok());
        let result = at_once(verifier.verify(token, &Valid, NOW)).map_err(Problem::invalid_token)?;
        let Verification::Valid { identity, .. } = result else { panic!("{result:?}") };
        caller = Caller::Subject(identity);
    }
    let on_outage = routed.on_outage(matches!(caller, Caller::Tenant(..))).name();
    let mut identified = routed.identify(caller, NOW)?;
    if identified.needs_values() {
        let asn = request["asn"].as_u64().map(|asn| asn.to_string()).unwrap_or_default();
        let place = Place { country: request["country"].as_str().unwrap_or_default(), asn: &asn };
        routed.partition(&mut identified, &RequestValues { fields, query, place })?;
    }
    let subject = identified.subject.clone();
    let name = subject.as_str().to_owned();
    let Some(mut charge) = identified.charge else { return Ok(Done::Exempt { subject: name }) };
    if let Some(reading) = routed.reading() {
        let body = match &request["body"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let most = body_to_read(reading, &facts.method, fields);
        let body = body.filter(|body| most.is_some_and(|most| body.len() <= most));
        if let Some(cost) = read_request(reading, fields, body.as_deref().map(str::as_bytes))?.cost {
            charge.set_cost(cost);
        }
    }
    let limits = taken(&subject, charge.limits(), charge.cost());
    Ok(Done::Check { subject: name, cost: charge.cost(), limits, on_outage })
}

/// Returns what a check takes from each limit, by the in-memory limiter, with the key of its state.
fn taken(subject: &Subject, limits: &[Limit], cost: u64) -> Vec<(String, String, u64)> {
    let mut limiter = MemoryLimiter::new(Capacity::default());
    let lease = LeaseId::new("l").unwrap();
    let request = CheckRequest { cost, lease: Some(&lease) };
    let verdict = limiter.check(subject, limits, request, NOW).unwrap();
    assert!(verdict.is_allow(), "{verdict:?}");
    let budgets = verdict.budgets().iter().filter(|budget| !usage::is_meter(&budget.limit));
    let each = |budget: &sluicegate::limit::Budget| {
        let limit = &budget.limit;
        let owner = subject.owner(limit).unwrap();
        let (key, holds) = match limit.algorithm() {
            Algorithm::SlidingLog { .. } => (owner.log_key(limit.name()), limit.quota()),
            Algorithm::Concurrency { .. } => (owner.inflight_key(limit.name()), limit.quota()),
            _ => (owner.state_key(), limit.capacity()),
        };
        (limit.name().to_string(), key, holds - budget.remaining)
    };
    budgets.map(each).collect()
}

/// Returns the result of a future that never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}
