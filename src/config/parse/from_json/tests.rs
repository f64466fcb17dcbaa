//! Valid configurations, and the messages about invalid ones.

use serde_json::{Value, json};

use super::*;
use crate::config::Identify;
use crate::config::config::{KeySource, LogRefused, Scripts};
use crate::config::outage::OnOutage;
use crate::limit::PrefetchRule;
use crate::limiter::Clock;
use crate::time::Millis;

fn valid() -> Value {
    json!({
        "default_plan": "anonymous",
        "plans": { "anonymous": { "limits": [
            { "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" },
            { "name": "day", "algorithm": "sliding_log", "limit": 1000, "window": "1d" },
        ] } },
    })
}

/// Sets `pointer` to `value` in a valid configuration and expects this message.
fn check(pointer: &str, value: Value, message: &str) {
    let mut config = valid();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    match config.pointer_mut(parent).unwrap() {
        Value::Array(array) => array[field.parse::<usize>().unwrap()] = value,
        Value::Object(object) => drop(object.insert(field.to_owned(), value)),
        _ => unreachable!(),
    }
    let error = Config::from_json(&config.to_string()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = Config::from_json(&valid().to_string()).unwrap();
    assert_eq!(config.identify, [Identify::Address]);
    assert_eq!((config.on_outage, config.clock), (OnOutage::Open, Clock::Edge));
    assert_eq!((config.timeout, config.ipv6_prefix), (Millis::new(250), 64));
    assert_eq!(config.scripts, Scripts::Auto);
    assert_eq!(config.api_key_from, [KeySource::Authorization, KeySource::XApiKey]);
    assert_eq!((config.tenant_ttl, config.tenant_cache), (Millis::from_secs(30), 10_000));
    assert_eq!((config.usage, config.log_allowed_one_in), (true, 0));
    assert_eq!((config.local_refusals, config.log_refused), (Millis::from_secs(1), LogRefused::Summary));
    assert_eq!(config.routes.all().len(), 0);
    let names: Vec<_> = config.default_plan.limits().iter().map(|l| l.name().as_str()).collect();
    assert_eq!(names, ["burst", "day"]);
}

#[test]
fn every_field_is_read() {
    let mut config = valid();
    for (field, value) in [
        ("identify", json!(["api_key", "address"])),
        ("on_outage", json!("closed")),
        ("clock", json!("redis")),
        ("scripts", json!("key_locking")),
        ("timeout", json!("2s")),
        ("ipv6_prefix", json!(56)),
        ("api_key_from", json!(["x-api-key"])),
        ("tenant_ttl", json!("1s")),
        ("tenant_cache", json!(7)),
        ("usage", json!(false)),
        ("log_allowed_one_in", json!(100)),
        ("local_refusals", json!("0s")),
        ("log_refused", json!("each")),
    ] {
        config[field] = value;
    }
    let config = Config::from_json(&config.to_string()).unwrap();
    assert_eq!(config.identify, [Identify::ApiKey, Identify::Address]);
    assert_eq!((config.on_outage, config.clock), (OnOutage::Closed, Clock::Redis));
    assert_eq!((config.timeout, config.ipv6_prefix), (Millis::from_secs(2), 56));
    assert_eq!(config.scripts, Scripts::KeyLocking);
    assert_eq!(config.api_key_from, [KeySource::XApiKey]);
    assert_eq!((config.tenant_ttl, config.tenant_cache), (Millis::from_secs(1), 7));
    assert_eq!((config.usage, config.log_allowed_one_in), (false, 100));
    assert_eq!((config.local_refusals, config.log_refused), (Millis::ZERO, LogRefused::Each));
}

#[test]
fn messages_name_the_path() {
    let limit = "/plans/anonymous/limits/1";
    check(
        &format!("{limit}/window"),
        json!("ten"),
        "plans.anonymous.limits[1].window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"ten\"",
    );
    check(
        &format!("{limit}/window"),
        json!(10),
        "plans.anonymous.limits[1].window: invalid type: integer `10`, expected a duration like \"10s\"",
    );
    check(
        &format!("{limit}/limit"),
        json!(0),
        "plans.anonymous.limits[1].limit: expected 1 to 9007199254740991, found 0",
    );
    check(
        &format!("{limit}/limit"),
        json!(-1),
        "plans.anonymous.limits[1].limit: invalid value: integer `-1`, expected u64",
    );
    check(
        &format!("{limit}/limit"),
        json!(1.5),
        "plans.anonymous.limits[1].limit: invalid type: floating point `1.5`, expected u64",
    );
    check(
        &format!("{limit}/burst"),
        json!(5),
        "plans.anonymous.limits[1].burst: a sliding_log has none (a token_bucket has)",
    );
    check(
        &format!("{limit}/name"),
        json!("a b"),
        "plans.anonymous.limits[1].name: expected 1 to 64 of A-Z a-z 0-9 _ - . , found \"a b\"",
    );
    check(&format!("{limit}/name"), json!("burst"), "plans.anonymous.limits: two limits are named \"burst\"");
    check("/plans/anonymous", json!([[]]), "plans.anonymous: invalid type: sequence, expected an object");
    check("/plans/anonymous/limits", json!([]), "plans.anonymous.limits: expected 1 to 16 limits, found 0");
    check("/default_plan", json!("pro"), "default_plan: no plan is named \"pro\" (plans: anonymous)");
    check("/timeout", json!("0s"), "timeout: expected 1ms to 30s, found 0ms");
    check("/local_refusals", json!("2m"), "local_refusals: expected 0ms to 1m, found 2m");
    check("/tenant_ttl", json!("2h"), "tenant_ttl: expected 1ms to 1h, found 2h");
    check("/tenant_cache", json!(0), "tenant_cache: expected 1 to 100000 tenants, found 0");
    check("/api_key_from", json!([]), "api_key_from: is empty (leave it out to look everywhere)");
    check(
        &format!("{limit}/name"),
        json!("_day"),
        "plans.anonymous.limits[1].name: a name that begins with \"_\" is reserved",
    );
    check("/ipv6_prefix", json!(0), "ipv6_prefix: expected 1 to 128 bits, found 0");
    check("/identify", json!(["address", "address"]), "identify[1]: is listed twice");
    check(
        "/identify",
        json!(["api_key"]),
        "identify: \"address\" is missing (without it every client would share one quota)",
    );
}

#[test]
fn prefetch_belongs_to_a_plan_that_it_fits() {
    let mut config = valid();
    config["plans"]["anonymous"]["limits"][1]["algorithm"] = json!("fixed_window");
    config["plans"]["anonymous"]["prefetch"] = json!({ "units": 50, "hold": "500ms" });
    let plan = Config::from_json(&config.to_string()).unwrap().default_plan;
    assert_eq!(plan.prefetch(), PrefetchRule::new(50, Millis::new(500)).ok());
    let error = |prefetch: Value| {
        let mut config = config.clone();
        config["plans"]["anonymous"]["prefetch"] = prefetch;
        Config::from_json(&config.to_string()).unwrap_err().to_string()
    };
    let at = "plans.anonymous.prefetch";
    assert_eq!(error(json!({ "units": 0, "hold": "500ms" })), format!("{at}.units: expected 1 to 1000000, found 0"));
    let window = config["plans"]["anonymous"]["limits"][0]["window"].as_str().unwrap().to_owned();
    assert_eq!(window, "10s");
    assert_eq!(
        error(json!({ "units": 50, "hold": "2s" })),
        format!("{at}.hold: expected at most 1s, a tenth of the window of the limit \"burst\", found 2s")
    );
    assert!(error(json!({ "units": 50 })).starts_with(at), "{}", error(json!({ "units": 50 })));
    assert_eq!(
        error(json!({ "units": 50, "hold": "1s", "low": 1 })),
        format!("{at}.low: unknown field \"low\" (known: units, hold)")
    );
    config["plans"]["anonymous"]["limits"][1]["algorithm"] = json!("sliding_log");
    let error = Config::from_json(&config.to_string()).unwrap_err().to_string();
    assert!(error.starts_with("plans.anonymous.prefetch: the limit \"day\" is a sliding_log"), "{error}");
}

#[test]
fn unknown_names_come_with_the_nearest_known_one() {
    let top = "identify, jwt, api_key_from, default_plan, on_outage, timeout, local_refusals, clock, scripts, ipv6_prefix, \
        tenant_ttl, tenant_cache, usage, log_allowed_one_in, log_refused, forward_key, cors, plans, routes";
    let limit = "name, algorithm, limit, window, burst, lease, counts, by";
    let algorithms = "sliding_log, sliding_window, fixed_window, token_bucket, concurrency";
    for (pointer, value, message) in [
        ("/route", json!([]), format!("route: unknown field \"route\" (did you mean \"routes\"? known: {top})")),
        ("/colour", json!(1), format!("colour: unknown field \"colour\" (known: {top})")),
        (
            "/plans/anonymous/limts",
            json!([]),
            "plans.anonymous.limts: unknown field \"limts\" (did you mean \"limits\"? known: limits, prefetch)"
                .to_owned(),
        ),
        (
            "/plans/anonymous/limits/0/windw",
            json!("30s"),
            format!(
                "plans.anonymous.limits[0].windw: unknown field \"windw\" (did you mean \"window\"? known: {limit})"
            ),
        ),
        (
            "/plans/anonymous/limits/0/period",
            json!("30s"),
            format!("plans.anonymous.limits[0].period: unknown field \"period\" (known: {limit})"),
        ),
        (
            "/plans/anonymous/limits/0/algorithm",
            json!("token_buket"),
            format!(
                "plans.anonymous.limits[0].algorithm: unknown algorithm \"token_buket\" (did you mean \
                 \"token_bucket\"? known: {algorithms})"
            ),
        ),
        (
            "/plans/anonymous/limits/0/algorithm",
            json!("leaky_bucket"),
            format!("plans.anonymous.limits[0].algorithm: unknown algorithm \"leaky_bucket\" (known: {algorithms})"),
        ),
        (
            "/plans/anonymous/limits/0/counts",
            json!("request"),
            "plans.anonymous.limits[0].counts: unknown unit \"request\" (did you mean \"requests\"? known: cost, \
             requests)"
                .to_owned(),
        ),
        (
            "/on_outage",
            json!("close"),
            "on_outage: unknown outage policy \"close\" (did you mean \"closed\"? known: open, closed, local)"
                .to_owned(),
        ),
        (
            "/clock",
            json!("rediss"),
            "clock: unknown clock \"rediss\" (did you mean \"redis\"? known: edge, redis)".to_owned(),
        ),
        (
            "/scripts",
            json!("key-locking"),
            "scripts: unknown dialect \"key-locking\" (did you mean \"key_locking\"? known: auto, plain, key_locking)"
                .to_owned(),
        ),
        (
            "/identify",
            json!(["adress"]),
            "identify[0]: unknown identity \"adress\" (did you mean \"address\"? known: api_key, jwt, address, \
             header:NAME)"
                .to_owned(),
        ),
        (
            "/identify",
            json!(["cookie"]),
            "identify[0]: unknown identity \"cookie\" (known: api_key, jwt, address, header:NAME)".to_owned(),
        ),
        (
            "/api_key_from",
            json!(["authorization", "X-API-Key"]),
            "api_key_from[1]: unknown key source \"X-API-Key\" (did you mean \"x-api-key\"? known: authorization, \
             x-api-key)"
                .to_owned(),
        ),
        (
            "/default_plan",
            json!("anonimous"),
            "default_plan: no plan is named \"anonimous\" (did you mean \"anonymous\"? plans: anonymous)".to_owned(),
        ),
    ] {
        check(pointer, value, &message);
    }
}

#[test]
fn duplicate_keys_are_refused_with_their_path() {
    let message = |text: &str| Config::from_json(text).unwrap_err().to_string();
    let limit = r#"{"name":"l","algorithm":"sliding_log","limit":1,"limit":2,"window":"1s"}"#;
    assert_eq!(
        message(&format!(r#"{{"default_plan":"pro","plans":{{"pro":{{"limits":[{limit}]}}}}}}"#)),
        "plans.pro.limits[0]: the key \"limit\" appears twice"
    );
    let limit = r#"{"name":"l","algorithm":"sliding_log","limit":1,"window":"1s"}"#;
    let plan = format!(r#"{{"limits":[{limit}]}}"#);
    assert_eq!(
        message(&format!(r#"{{"default_plan":"pro","plans":{{"pro":{plan},"pr\u006f":{plan}}}}}"#)),
        "plans: the key \"pro\" appears twice"
    );
    assert_eq!(
        message(&format!(r#"{{"default_plan":"pro","plans":{{"pro":{plan}}},"default_plan":"pro"}}"#)),
        "SLUICEGATE: the key \"default_plan\" appears twice"
    );
}

#[test]
fn texts_that_are_not_a_configuration_are_refused() {
    let message = |text| Config::from_json(text).unwrap_err().to_string();
    assert!(message("{").starts_with("SLUICEGATE: is not JSON: "));
    assert_eq!(message("{}"), "SLUICEGATE: missing field `default_plan`");
    assert_eq!(message("[]"), "SLUICEGATE: invalid type: sequence, expected an object");
}

#[test]
fn keys_are_read_only_if_needed() {
    let mut config = valid();
    let sources = |config: &Value| Config::from_json(&config.to_string()).unwrap().key_sources().len();
    assert_eq!(sources(&config), 0);
    config["routes"] = json!([{ "match": "* /v1/*", "require_key": true }]);
    assert_eq!(sources(&config), 2);
    config["routes"] = json!([]);
    config["identify"] = json!(["api_key", "address"]);
    assert_eq!(sources(&config), 2);
}

#[test]
fn keys_are_found_in_their_headers() {
    let (bearer, own) = (KeySource::Authorization, KeySource::XApiKey);
    for (source, value, found) in [
        (bearer, "Bearer sgk_acme_x", Some("sgk_acme_x")),
        (bearer, "bearer  sgk_acme_x ", Some("sgk_acme_x")),
        (bearer, "Bearer\tsgk_acme_x", Some("sgk_acme_x")),
        (bearer, "Basic sgk_acme_x", None),
        (bearer, "sgk_acme_x", None),
        (bearer, "Bearer eyJhbGciOiJIUzI1NiJ9", None),
        (own, "sgk_acme_x", Some("sgk_acme_x")),
        (own, "another", None),
    ] {
        assert_eq!(source.key_in(value).as_deref(), found, "{value}");
    }
}
