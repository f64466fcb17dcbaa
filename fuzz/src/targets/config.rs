//! A configuration, the text of the variable `SLUICEGATE`.
//!
//! An error names a field of the configuration. A valid configuration can be used: every request has a charge that the
//! limiter accepts, and its verdict has valid headers.

use std::sync::Arc;

use serde_json::Value;
use sluicegate::config::{Config, ConfigError};
use sluicegate::gateway::{Charge, Place, RequestValues, RoutedRequest, find_route};
use sluicegate::http::{Fields, RequestFacts};
use sluicegate::jwt::Identity;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{CheckRequest, LeaseId, Plan, Retry, Subject};
use sluicegate::tenant::{Caller, Settings, Tenant, TenantId};
use sluicegate::time::Millis;

use super::fields::assert_valid_fields;

pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Config::from_json(&text) {
        Ok(config) => assert_usable(&config),
        Err(error) => assert_names_a_field(&error, &text),
    }
}

/// Asserts that the path of an error begins with a field of the configuration or a key of the text.
fn assert_names_a_field(error: &ConfigError, text: &str) {
    assert!(!error.problem.is_empty(), "{error:?}");
    assert!(!error.path.is_empty(), "{error:?}");
    // A duplicate key is an error even if the text after it is not JSON.
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let mut keys = value.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str));
    let begins_with = |key: &str| {
        let rest = error.path.strip_prefix(key);
        rest.is_some_and(|rest| key.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
    };
    // The path of a duplicate key shows only the beginning of a long one.
    let begins_with_long = |key: &str| key.char_indices().nth(64).is_some_and(|(end, _)| begins_with(&key[..end]));
    let names_one = FIELDS.into_iter().any(begins_with) || keys.any(|key| begins_with(key) || begins_with_long(key));
    assert!(names_one, "{error:?}");
}

fn assert_usable(config: &Config) {
    for limit in config.plans.values().flat_map(Plan::limits) {
        assert_eq!(limit.with_quota(limit.quota(), None).as_ref(), Ok(limit), "a valid limit stays valid");
    }
    let tenant = config.plans.keys().next_back().map(|plan| {
        let tenant = Tenant::new(Settings::new(plan)).ok()?;
        Some(Caller::Tenant(TenantId::new("acme").ok()?, Arc::new(tenant)))
    });
    let named = Identity { subject: "alice".to_owned(), plan: config.plans.keys().next_back().cloned() };
    let callers = [Some(Caller::Anonymous), tenant.flatten(), Some(Caller::Subject(named))];
    let patterns: Vec<String> = config.routes.all().take(MOST_ROUTES).map(|route| route.pattern.to_string()).collect();
    for pattern in patterns.iter().map(String::as_str).chain(["GET /no/such/route"]) {
        let (method, path) = pattern.split_once(' ').expect("a pattern has a method");
        let facts = RequestFacts {
            method: method.replace('*', "PATCH"),
            path: path.replace('*', "x"),
            address: Some([203, 0, 113, 7].into()),
            ..RequestFacts::default()
        };
        // Ambiguous, or refused by its route.
        let Ok(route) = find_route(&facts, config) else { continue };
        let Ok(request) = RoutedRequest::new(&facts, config, route) else { continue };
        for caller in callers.iter().flatten() {
            let Ok(mut identified) = request.identify(caller.clone(), NOW) else { continue };
            // A segment of the path that servers read in several ways.
            let Ok(()) = request.partition(&mut identified, &VALUES) else { continue };
            if let Some(charge) = identified.charge {
                assert_checkable(&identified.subject, &charge);
            }
        }
    }
}

/// Asserts that the limiter accepts a charge at any time of a clock that never goes back.
fn assert_checkable(subject: &Subject, charge: &Charge) {
    let lease = LeaseId::new("a").expect("a valid id");
    let request = CheckRequest { cost: charge.cost(), lease: Some(&lease) };
    let mut limiter = MemoryLimiter::new(Capacity::default());
    for now in [Millis::ZERO, NOW, NOW, Millis::new(NOW.get() + 1), Millis::new(u64::MAX)] {
        let verdict = limiter.check(subject, charge.limits(), request, now);
        let verdict = verdict.unwrap_or_else(|error| panic!("a valid configuration gives an invalid check: {error}"));
        assert_eq!(verdict.budgets().len(), charge.limits().len());
        assert!(verdict.retry() != Retry::Never, "a request costs more than its limits can hold: {charge:?}");
        assert_valid_fields(&verdict, charge.is_shadow());
    }
}

/// What limits may count by, apart from the path.
const VALUES: RequestValues<'static> =
    RequestValues { fields: Fields::new(""), query: Some("q=a"), place: Place { country: "DE", asn: "64496" } };

/// 2026-11-23T12:00:00Z.
const NOW: Millis = Millis::new(1_795_435_200_000);

/// The routes that are tried: the others are like them.
const MOST_ROUTES: usize = 4;

/// The paths that no key has: the whole, and the required fields.
const FIELDS: [&str; 3] = ["SLUICEGATE", "default_plan", "plans"];
