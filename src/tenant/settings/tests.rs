//! Tests of the bounds and the error messages of settings.

use serde_json::json;

use super::*;

fn check(value: &Value, messages: &[&str]) {
    let error = Settings::read(value).unwrap_err();
    let found: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found, messages, "{value}");
}

#[test]
fn missing_fields_have_defaults() {
    assert_eq!(Settings::read(&json!({ "plan": "pro" })), Ok(Settings::new("pro")));
    let nulls = json!({ "plan": "pro", "status": null, "overrides": null, "metadata": null });
    assert_eq!(Settings::read(&nulls), Ok(Settings::new("pro")));
    assert_eq!(
        serde_json::to_value(Settings::new("pro")).unwrap(),
        json!({ "plan": "pro", "status": "active", "overrides": {}, "metadata": {} })
    );
}

#[test]
fn json_round_trips() {
    let value = json!({
        "plan": "pro",
        "status": "suspended",
        "overrides": {
            "burst": { "limit": 50, "burst": 100 },
            "day": { "limit": 5000, "until": "2026-12-01T00:00:00Z" },
        },
        "metadata": { "contact": "ops@acme.example", "": "x" },
    });
    let mut good = value.clone();
    good["metadata"].as_object_mut().unwrap().remove("");
    assert_eq!(serde_json::to_value(Settings::read(&good).unwrap()).unwrap(), good);
    check(&value, &["metadata.: expected a name of 1 to 64 bytes, found 0"]);
}

#[test]
fn every_problem_has_its_path() {
    check(&json!("pro"), &["expected an object, found a text"]);
    check(&json!({}), &["plan: is missing"]);
    check(
        &json!({
            "plan": 7,
            "status": "Active",
            "keys": [],
            "overrides": { "day": { "limit": 0, "until": "tomorrow", "from": 1 }, "hour": 5, "week": {} },
            "metadata": { "a": 1 },
        }),
        &[
            "keys: unknown field (known: plan, status, overrides, metadata)",
            "status: expected \"active\" or \"suspended\"",
            "overrides.day.from: unknown field (known: limit, burst, until)",
            "overrides.day.until: expected a time like \"2026-12-01T00:00:00Z\" (RFC 3339, from 1970 on), \
             found \"tomorrow\"",
            "overrides.day.limit: expected a whole number from 1 to 9007199254740991, found 0",
            "overrides.hour: expected an object, found 5",
            "overrides.week.limit: is missing",
            "metadata.a: expected a text, found 1",
            "plan: expected a text, found 7",
        ],
    );
    check(
        &json!({ "plan": "", "overrides": [], "metadata": "x" }),
        &[
            "overrides: expected an object, found a list",
            "metadata: expected an object, found a text",
            "plan: expected 1 to 128 bytes, found 0",
        ],
    );
    check(
        &json!({ "plan": "p", "overrides": { "a b": { "limit": 1 } } }),
        &["overrides.a b: not the name of a limit: expected 1 to 64 of A-Z a-z 0-9 _ - . , found \"a b\""],
    );
}

#[test]
fn all_values_are_bounded() {
    let metadata = |count: usize, name: usize, value: usize| {
        let entries = (0..count).map(|i| (format!("{i:0name$}"), json!("x".repeat(value))));
        json!({ "plan": "p".repeat(128), "metadata": entries.collect::<serde_json::Map<_, _>>() })
    };
    assert!(Settings::read(&metadata(32, 64, 512)).is_ok());
    check(&metadata(33, 64, 512), &["metadata: expected at most 32, found 33"]);
    let name = "0".repeat(64);
    check(&metadata(1, 65, 0), &[&format!("metadata.{name}: expected a name of 1 to 64 bytes, found 65")]);
    check(&metadata(1, 1, 513), &["metadata.0: expected 0 to 512 bytes, found 513"]);
    let overrides = |count: usize| {
        let entries = (0..count).map(|i| (i.to_string(), json!({ "limit": MAX_INTEGER })));
        json!({ "plan": "p", "overrides": entries.collect::<serde_json::Map<_, _>>() })
    };
    assert!(Settings::read(&overrides(16)).is_ok());
    check(&overrides(17), &["overrides: expected at most 16, found 17"]);
    check(&json!({ "plan": "é".repeat(65) }), &["plan: expected 1 to 128 bytes, found 130"]);
}

#[test]
fn check_refuses_what_the_configuration_lacks() {
    let config = r#"{"default_plan":"pro","plans":{"pro":{"limits":[
        {"name":"burst","algorithm":"token_bucket","limit":20,"window":"10s"},
        {"name":"day","algorithm":"sliding_window","limit":1000,"window":"1d"}]}}}"#;
    let config = Config::from_json(config).unwrap();
    let settings = |overrides| Settings::read(&json!({ "plan": "pro", "overrides": overrides })).unwrap();
    assert_eq!(settings(json!({ "burst": { "limit": 1, "burst": 2 }, "day": { "limit": 1 } })).check(&config), Ok(()));
    let error = Settings::new("free").check(&config).unwrap_err();
    assert_eq!(error.to_string(), "plan: no plan is named \"free\" (plans: pro)");
    let over = json!({ "week": { "limit": 1 }, "day": { "limit": 1, "burst": 2 }, "burst": { "limit": MAX_INTEGER } });
    let error = settings(over).check(&config).unwrap_err();
    let paths: Vec<_> = error.problems().iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["overrides.burst.limit", "overrides.day.burst", "overrides.week"]);
    assert_eq!(error.problems()[1].problem, "a sliding_window has none (a token_bucket has)");
    assert_eq!(error.problems()[2].problem, "the plan \"pro\" has no limit of this name");
}
