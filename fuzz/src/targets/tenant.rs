//! The document of a tenant, as it is in Redis.
//!
//! What can be read is written as the same, within its bounds. A key is known only if the document has its digest.

use sluicegate::config::Config;
use sluicegate::limit::Subject;
use sluicegate::redis::script::Dialect;
use sluicegate::tenant::authenticator::Authenticator;
use sluicegate::tenant::store::TenantStore;
use sluicegate::tenant::{ApiKey, Caller, KeyStatus, Tenant, TenantId, etag};
use sluicegate::time::Millis;

use crate::fake_redis::{FakeRedis, run as run_future};
use crate::input::Lines;

pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let tenant = Tenant::from_text(&text);
    match &tenant {
        Ok(tenant) => assert_within_bounds(tenant),
        Err(error) => {
            assert!((1..=32).contains(&error.problems().len()), "{error}");
            assert!(error.problems().iter().all(|problem| !problem.problem.is_empty()), "{error:?}");
        }
    }
    assert_read_from_redis(&text, tenant.ok().as_ref());
}

fn assert_within_bounds(tenant: &Tenant) {
    let text = tenant.to_text();
    assert_eq!(Tenant::from_text(&text).as_ref(), Ok(tenant), "{text}");
    assert_eq!(etag(&text), etag(&tenant.clone().to_text()));
    let settings = tenant.settings();
    assert!((1..=128).contains(&tenant.plan().len()) && tenant.keys().len() <= 16, "{text}");
    assert!(settings.overrides.len() <= 16 && settings.metadata.len() <= 32, "{text}");
    assert_eq!(Tenant::new(settings.clone()).map(|new| new.settings().clone()).as_ref(), Ok(settings));
    for key in tenant.keys() {
        let without = tenant.without_key(&key.id).expect("the tenant has the key");
        assert_eq!(without.keys().len() + 1, tenant.keys().len(), "ids are unique");
    }
    for now in [Millis::ZERO, NOW, Millis::new(u64::MAX)] {
        match tenant.limits(&config(), now) {
            Ok(limits) => assert_eq!(limits.len(), 2, "an override changes no more than numbers"),
            Err(unknown) => assert_eq!(unknown.plan, tenant.plan()),
        }
    }
    if settings.check(&config()).is_ok() {
        assert_eq!(tenant.plan(), "pro");
    }
}

fn assert_read_from_redis(text: &str, tenant: Option<&Tenant>) {
    let replies = format!("200 {}\n", serde_json::json!({ "result": text })).repeat(2);
    let redis = FakeRedis::new(Lines::new(replies.as_bytes()));
    let store = TenantStore::new(&redis, Dialect::Plain);
    let id = TenantId::new("acme").expect("a valid id");
    let stored = run_future(store.get(&id)).ok().flatten();
    assert_eq!(stored.as_ref().map(|stored| &stored.tenant), tenant);

    // The key of the corpus.
    let key = ApiKey::generate(&id, [7; 20]);
    let authenticator = Authenticator::new(&config());
    let found = run_future(authenticator.authenticate(store, &key, &Subject::named("alice"), NOW));
    let valid = tenant.map(|tenant| matches!(tenant.key_status(&key, NOW), KeyStatus::Valid(_)));
    match found.map(|found| found.caller) {
        Ok(Caller::Tenant(found, _)) => assert!(found == id && valid == Some(true)),
        Ok(_) => assert_eq!(valid, Some(false)),
        Err(error) => assert!(valid.is_none(), "{error}"),
    }
}

fn config() -> Config {
    thread_local! {
        static CONFIG: Config = Config::from_json(CONFIGURATION).expect("a valid configuration");
    }
    CONFIG.with(Config::clone)
}

const CONFIGURATION: &str = r#"{ "default_plan": "pro", "plans": { "pro": { "limits": [
    { "name": "burst", "algorithm": "token_bucket", "limit": 50, "window": "1s", "burst": 100 },
    { "name": "day", "algorithm": "fixed_window", "limit": 1000, "window": "day" }] } } }"#;

/// 2026-11-23T12:00:00Z.
const NOW: Millis = Millis::new(1_795_435_200_000);
