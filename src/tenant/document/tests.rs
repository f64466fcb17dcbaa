//! Tests of the document: its exact text, and the errors of invalid ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::tenant::api_key::ApiKey;
use crate::tenant::id::TenantId;
use crate::time::Millis;

/// A document as stored in Redis. The digests are of "abc" and of the empty string.
const TEXT: &str = concat!(
    r#"{"v":1,"plan":"pro","status":"active","keys":["#,
    r#"{"id":"ba7816bf8f01","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","#,
    r#""created":"2026-11-01T00:00:00Z"},"#,
    r#"{"id":"ci","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
    r#""created":"2026-11-02T00:00:00.250Z","expires":"2027-01-01T00:00:00Z"}],"#,
    r#""overrides":{"burst":{"limit":50,"burst":100},"day":{"limit":5000,"until":"2026-12-01T00:00:00Z"}},"#,
    r#""metadata":{"contact":"ops@acme.example"}}"#,
);

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0_u64..253_402_300_800_000).prop_map(|ms| Timestamp::new(Millis::new(ms)))
}

fn settings() -> impl Strategy<Value = Settings> {
    let change = (1_u64..1 << 53, prop::option::of(1_u64..1 << 53), prop::option::of(timestamp()))
        .prop_map(|(limit, burst, until)| Override { limit, burst, until });
    (
        "\\PC{1,30}",
        any::<bool>(),
        prop::collection::btree_map("[A-Za-z0-9_.-]{1,64}", change, 0..=16),
        prop::collection::btree_map("\\PC{1,16}", "\\PC{0,128}|[\\x00-\\x20\"\\\\]*", 0..=32),
    )
        .prop_map(|(plan, suspended, overrides, metadata)| {
            let status = if suspended { Status::Suspended } else { Status::Active };
            Settings { plan, status, overrides, metadata }
        })
}

fn tenant() -> impl Strategy<Value = Tenant> {
    let keys = prop::collection::btree_map(any::<[u8; 20]>(), (timestamp(), prop::option::of(timestamp())), 0..=16);
    (settings(), keys).prop_map(|(settings, keys)| {
        let id = TenantId::new("acme").unwrap();
        keys.into_iter().fold(Tenant::new(settings).unwrap(), |tenant, (random, (created, expires))| {
            tenant.with_key(KeyRecord::new(&ApiKey::generate(&id, random), created, expires)).unwrap()
        })
    })
}

/// Sets `pointer` in a valid document to `value` and expects this error.
fn check(pointer: &str, value: Value, message: &str) {
    let mut document: Value = serde_json::from_str(TEXT).unwrap();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[field.parse::<usize>().unwrap()] = value,
        object => object[field] = value,
    }
    assert_eq!(Tenant::from_text(&document.to_string()).unwrap_err().to_string(), message);
}

#[test]
fn documents_keep_their_format() {
    let tenant = Tenant::from_text(TEXT).unwrap();
    assert_eq!(tenant.to_text(), TEXT);
    let bare = Tenant::from_text(r#" {"plan":"pro" , "v":1, "keys": null}"#).unwrap();
    assert_eq!(bare.to_text(), r#"{"v":1,"plan":"pro","status":"active","keys":[],"overrides":{},"metadata":{}}"#);
}

#[test]
fn etag_depends_on_every_byte() {
    // The first half of the digest of "abc".
    assert_eq!(etag("abc"), "\"ba7816bf8f01cfea414140de5dae2223\"");
    assert_ne!(etag(TEXT), etag(&format!("{TEXT} ")));
}

#[test]
fn invalid_documents_are_refused_with_the_path() {
    for text in ["", "garbage", "{", "{\"v\":1", &"[".repeat(10_000)] {
        let error = Tenant::from_text(text).unwrap_err().to_string();
        assert!(error.starts_with("is not JSON: "), "{error}");
    }
    for (text, message) in [
        ("[]", "expected an object, found a list"),
        ("42", "expected an object, found 42"),
        ("{}", "v: is missing; plan: is missing"),
    ] {
        assert_eq!(Tenant::from_text(text).unwrap_err().to_string(), message);
    }
    check("/v", json!(2), "v: expected 1, found 2");
    check("/v", json!("1"), "v: expected 1, found a text");
    check("/id", json!("acme"), "id: unknown field (known: v, keys, plan, status, overrides, metadata)");
    check("/keys", json!({}), "keys: expected a list, found an object");
    check("/keys/1", json!("sgk_…"), "keys[1]: expected an object, found a text");
    check("/keys/1/sha256", json!("e3b0"), "keys[1].sha256: expected 64 digits of 0-9 a-f");
    check("/keys/1/secret", json!(1), "keys[1].secret: unknown field (known: id, sha256, created, expires)");
    check("/keys/0/created", Value::Null, "keys[0].created: is missing");
    check("/keys/1/id", json!("ba7816bf8f01"), "keys: expected unique ids, found \"ba7816bf8f01\" twice");
    check("/keys/1/id", json!("a b"), "keys[1].id: expected 1 to 64 of A-Z a-z 0-9 _ - . , found \"a b\"");
    check(
        "/overrides/day/limit",
        json!(-5),
        "overrides.day.limit: expected a whole number from 1 to \
          9007199254740991, found -5",
    );
    let key = |i: u32| json!({ "id": i.to_string(), "sha256": "0".repeat(64), "created": "2026-11-01T00:00:00Z" });
    check("/keys", (0..17).map(key).collect(), "keys: expected at most 16, found 17");
}

proptest! {
    #[test]
    fn documents_round_trip_to_the_same_text(tenant in tenant()) {
        let text = tenant.to_text();
        let read = Tenant::from_text(&text).unwrap();
        prop_assert_eq!(&read, &tenant);
        prop_assert_eq!(read.to_text(), text);
    }

    #[test]
    fn settings_round_trip_through_json(settings in settings()) {
        prop_assert_eq!(Settings::read(&serde_json::to_value(&settings).unwrap()), Ok(settings));
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*", cut in 0..TEXT.len(), noise in "[\\PC]?") {
        let _ = Tenant::from_text(&text);
        let mut broken = TEXT.to_owned();
        broken.replace_range(cut..=cut, &noise);
        if let Err(error) = Tenant::from_text(&broken) {
            prop_assert!(!error.problems().is_empty());
        }
    }

    #[test]
    fn errors_name_at_least_one_problem(value in "[{\\[]\"(v|plan|keys|overrides|status)\":(null|1|\"x\"|\\{\\}|\\[1\\]|\\{\"a\":1\\})[}\\]]") {
        prop_assert!(!Tenant::from_text(&value).unwrap_err().problems().is_empty());
    }
}
