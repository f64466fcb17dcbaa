//! Tests of a tenant's limits and keys over time.

use proptest::prelude::*;

use super::*;
use crate::tenant::id::TenantId;
use crate::tenant::settings::Override;
use crate::time::Timestamp;

fn config() -> Config {
    let config = r#"{"default_plan":"pro","plans":{"pro":{"limits":[
        {"name":"burst","algorithm":"token_bucket","limit":20,"window":"10s"},
        {"name":"day","algorithm":"sliding_window","limit":1000,"window":"1d"}]}}}"#;
    Config::from_json(config).unwrap()
}

fn at(ms: u64) -> Timestamp {
    Timestamp::new(Millis::new(ms))
}

fn key(number: u8) -> ApiKey {
    ApiKey::generate(&TenantId::new("acme").unwrap(), [number; 20])
}

fn with_override(name: &str, change: Override) -> Tenant {
    let mut settings = Settings::new("pro");
    settings.overrides.insert(name.to_owned(), change);
    Tenant::new(settings).unwrap()
}

fn quotas(tenant: &Tenant, now: u64) -> Vec<(u64, u64)> {
    let limits = tenant.limits(&config(), Millis::new(now)).unwrap();
    limits.iter().map(|limit| (limit.quota(), limit.capacity())).collect()
}

#[test]
fn limits_without_overrides_are_those_of_the_plan() {
    let tenant = Tenant::new(Settings::new("pro")).unwrap();
    assert_eq!(tenant.limits(&config(), Millis::ZERO).unwrap(), config().plans["pro"].limits());
}

#[test]
fn missing_plan_is_an_error() {
    let error = Tenant::new(Settings::new("gone")).unwrap().limits(&config(), Millis::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "no plan is named \"gone\" in the configuration");
}

#[test]
fn override_that_fits_no_limit_is_ignored() {
    let change = |limit, burst| Override { limit, burst, until: None };
    for (name, change) in [
        ("week", change(1, None)),
        // Ten seconds cannot refill this many tokens without rounding, and a window has no burst.
        ("burst", change(9_007_199_254_740_991, None)),
        ("day", change(5, Some(5))),
    ] {
        assert_eq!(quotas(&with_override(name, change), 0), [(20, 20), (1000, 1000)], "{name}");
    }
}

#[test]
fn an_override_of_everyone_is_ignored() {
    let config = r#"{"default_plan":"pro","plans":{"pro":{"limits":[
        {"name":"user","algorithm":"token_bucket","limit":20,"window":"10s","by":"header:x-user"},
        {"name":"all","algorithm":"token_bucket","limit":20,"window":"10s","by":"everyone"}]}}}"#;
    let config = Config::from_json(config).unwrap();
    for (name, expected) in [("user", [5, 20]), ("all", [20, 20])] {
        let tenant = with_override(name, Override { limit: 5, burst: None, until: None });
        let limits = tenant.limits(&config, Millis::ZERO).unwrap();
        assert_eq!(limits.iter().map(Limit::quota).collect::<Vec<_>>(), expected, "{name}");
        assert!(limits[0].by().is_some(), "it counts by the same");
        assert_eq!(tenant.settings().check(&config).is_ok(), name == "user");
    }
}

#[test]
fn settings_out_of_bounds_are_refused() {
    let mut settings = Settings::new("pro");
    settings.overrides.insert("day".to_owned(), Override { limit: 0, burst: Some(0), until: None });
    let error = Tenant::new(settings.clone()).unwrap_err();
    let message = "overrides.day.limit: expected 1 to 9007199254740991; \
                   overrides.day.burst: expected 1 to 9007199254740991";
    assert_eq!(error.to_string(), message);
    assert_eq!(Tenant::new(Settings::new("pro")).unwrap().with_settings(settings), Err(error));
}

#[test]
fn keys_are_added_removed_and_survive_new_settings() {
    let record = |number| KeyRecord::new(&key(number), at(0), None);
    let mut tenant = Tenant::new(Settings::new("free")).unwrap();
    for number in 0..16 {
        tenant = tenant.with_key(record(number)).unwrap();
    }
    assert_eq!(tenant.with_key(record(3)), Err(KeyNotAdded::Known));
    assert_eq!(tenant.with_key(record(16)), Err(KeyNotAdded::TooMany));
    let other = tenant.with_settings(Settings::new("pro")).unwrap();
    assert_eq!((other.plan(), other.keys()), ("pro", tenant.keys()));
    let fewer = other.without_key(&record(3).id).unwrap();
    assert_eq!(fewer.keys().len(), 15);
    assert_eq!(fewer.key_status(&key(3), Millis::ZERO), KeyStatus::Unknown);
    assert_eq!(fewer.without_key(&record(3).id), None);
    assert_eq!(fewer.with_key(record(16)).unwrap().keys()[15], record(16), "the newest key is the last");
}

proptest! {
    #[test]
    fn override_applies_exactly_until_its_end(until in 1..u64::from(u32::MAX) * 1000, quota in 1_u64..5000) {
        let tenant = with_override("day", Override { limit: quota, burst: None, until: Some(at(until)) });
        for now in [0, until - 1] {
            prop_assert_eq!(quotas(&tenant, now), [(20, 20), (quota, quota)]);
        }
        for now in [until, until + 1, u64::MAX] {
            prop_assert_eq!(quotas(&tenant, now), [(20, 20), (1000, 1000)]);
        }
        let tenant = with_override("burst", Override { limit: 40, burst: Some(quota), until: None });
        prop_assert_eq!(quotas(&tenant, u64::MAX), [(40, quota), (1000, 1000)]);
    }

    #[test]
    fn only_own_keys_are_valid_until_they_expire(
        keys in prop::collection::btree_map(0_u8..20, prop::option::of(1_u64..1000), 0..=16),
        shown in 0_u8..20,
        now in 0_u64..1000,
    ) {
        let mut tenant = Tenant::new(Settings::new("pro")).unwrap();
        for (number, expires) in &keys {
            tenant = tenant.with_key(KeyRecord::new(&key(*number), at(0), expires.map(at))).unwrap();
        }
        let record = KeyRecord::new(&key(shown), at(0), keys.get(&shown).copied().flatten().map(at));
        let expected = match keys.get(&shown) {
            None => KeyStatus::Unknown,
            Some(Some(expires)) if *expires <= now => KeyStatus::Expired,
            Some(_) => KeyStatus::Valid(&record),
        };
        prop_assert_eq!(tenant.key_status(&key(shown), Millis::new(now)), expected);
        let of_another = ApiKey::generate(&TenantId::new("acme2").unwrap(), [shown; 20]);
        prop_assert_eq!(tenant.key_status(&of_another, Millis::new(now)), KeyStatus::Unknown);
    }
}
