//! Routes, clients and charges of requests.

use serde_json::{Value, json};

use super::*;
use crate::http::usage::Reported;
use crate::limit::{Limit, PrefetchRule};
use crate::tenant::{KeyRecord, Override, Settings, Tenant};
use crate::time::Timestamp;

pub(super) const NOW: Millis = Millis::from_secs(1_800_000_000);

pub(super) fn config(changes: &Value) -> Config {
    let mut config = json!({
        "identify": ["api_key", "address"],
        "default_plan": "free",
        "plans": {
            "free": { "limits": [{ "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" }] },
            "pro": { "limits": [
                { "name": "burst", "algorithm": "token_bucket", "limit": 50, "window": "1s" },
                { "name": "inflight", "algorithm": "concurrency", "limit": 5, "lease": "30s" },
            ] },
        },
    });
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Config::from_json(&config.to_string()).unwrap()
}

pub(super) fn routed<'a>(facts: &'a RequestFacts, config: &'a Config) -> Result<RoutedRequest<'a>, Problem> {
    RoutedRequest::new(facts, config, find_route(facts, config)?)
}

fn key() -> ApiKey {
    ApiKey::generate(&TenantId::new("acme").unwrap(), [7; 20])
}

pub(super) fn acme(plan: &str, status: Status) -> Caller {
    let mut settings = Settings::new(plan);
    settings.status = status;
    let end = Timestamp::new(Millis::new(NOW.get() + 1));
    settings.overrides.insert("burst".to_owned(), Override { limit: 500, burst: None, until: Some(end) });
    let created = Timestamp::new(NOW);
    let tenant = Tenant::new(settings).unwrap().with_key(KeyRecord::new(&key(), created, None)).unwrap();
    Caller::Tenant(TenantId::new("acme").unwrap(), Arc::new(tenant))
}

pub(super) fn facts(request: &str) -> RequestFacts {
    let (method, path) = request.split_once(' ').unwrap();
    let address = "203.0.113.7".parse().ok();
    RequestFacts { method: method.into(), path: path.into(), address, ..RequestFacts::default() }
}

pub(super) fn with_key(request: &str) -> RequestFacts {
    RequestFacts { api_key: Some(key().reveal().to_owned()), ..facts(request) }
}

/// The names of the limits, with the quota and the cost at each.
pub(super) fn costs(identified: &IdentifiedRequest) -> Vec<String> {
    let charge = identified.charge.as_ref().unwrap();
    let cost = |limit: &Limit| format!("{} {} {}", limit.name(), limit.quota(), limit.charge_for(charge.cost()));
    charge.limits().iter().map(cost).collect()
}

#[test]
fn a_client_without_a_key_has_the_default_plan() {
    let (config, facts) = (config(&json!({})), facts("GET /"));
    let request = routed(&facts, &config).unwrap();
    assert_eq!(request.key(), None);
    let identified = request.identify(Caller::Anonymous, NOW).unwrap();
    assert_eq!(identified.subject.as_str(), "ip:203.0.113.7");
    assert_eq!(costs(&identified), ["burst 20 1"]);
}

#[test]
fn a_tenant_has_its_plan_overrides_and_usage_meters() {
    let (config, facts) = (config(&json!({})), with_key("GET /"));
    let request = routed(&facts, &config).unwrap();
    assert_eq!(request.key(), Some(&key()));
    let identified = request.identify(acme("pro", Status::Active), NOW).unwrap();
    assert_eq!(identified.subject.as_str(), "acme");
    let meters = ["_day 9007199254740991 1", "_total 9007199254740991 1"];
    assert_eq!(costs(&identified), [&["burst 500 1", "inflight 5 1"][..], &meters].concat());
    let later = request.identify(acme("pro", Status::Active), Millis::new(NOW.get() + 1)).unwrap();
    assert_eq!(costs(&later)[0], "burst 50 1", "the override has ended");
}

#[test]
fn an_unknown_plan_is_reported_and_the_default_applies() {
    let (config, facts) = (config(&json!({ "usage": false })), with_key("GET /"));
    let identified = routed(&facts, &config).unwrap().identify(acme("gold", Status::Active), NOW).unwrap();
    assert_eq!(costs(&identified), ["burst 20 1"]);
    assert_eq!(identified.unknown_plan.unwrap().plan, "gold");
}

#[test]
fn suspended_tenants_are_refused_and_unknown_keys_fall_back_to_the_address() {
    let (config, facts) = (config(&json!({})), with_key("GET /"));
    let request = routed(&facts, &config).unwrap();
    assert_eq!(request.identify(acme("pro", Status::Suspended), NOW).unwrap_err().status, 403);
    assert_eq!(request.identify(Caller::UnknownKey, NOW).unwrap().subject.as_str(), "ip:203.0.113.7");
}

#[test]
fn the_first_identity_that_applies_wins() {
    let by_address = config(&json!({ "identify": ["address", "api_key"] }));
    let facts = with_key("GET /");
    assert_eq!(routed(&facts, &by_address).unwrap().key(), None);
    let nowhere = RequestFacts { address: None, ..facts };
    assert_eq!(routed(&nowhere, &by_address).unwrap().key(), Some(&key()));
    let never = config(&json!({ "identify": ["address"] }));
    assert_eq!(routed(&nowhere, &never).unwrap().key(), None);
}

#[test]
fn a_route_that_needs_a_key_accepts_nothing_else() {
    let config = config(&json!({ "identify": ["address"], "routes": [{ "match": "* /v1/*", "require_key": true }] }));
    let status = |facts: &RequestFacts| routed(facts, &config).map(|_| ()).unwrap_err().status;
    assert_eq!(status(&facts("GET /v1/x")), 401);
    let wrong = RequestFacts { api_key: Some("sgk_acme_wrong".to_owned()), ..facts("GET /v1/x") };
    assert_eq!(status(&wrong), 401);
    let right = with_key("GET /V1//x");
    let request = routed(&right, &config).unwrap();
    assert_eq!(request.key(), Some(&key()), "also where keys do not identify");
    assert_eq!(request.identify(Caller::UnknownKey, NOW).unwrap_err().status, 401);
    assert!(request.identify(acme("pro", Status::Active), NOW).is_ok());
    assert_eq!(request.on_outage(false), OnOutage::Closed);
    assert_eq!(request.on_outage(true), OnOutage::Open);
}

#[test]
fn a_shadow_route_never_refuses_even_without_redis() {
    let config = config(&json!({ "on_outage": "closed", "routes": [
        { "match": "* /new", "shadow": true },
        { "match": "* /keyed", "shadow": true, "require_key": true },
    ] }));
    let policy = |path: &str| routed(&with_key(path), &config).unwrap().on_outage(false);
    assert_eq!(policy("GET /other"), OnOutage::Closed);
    assert_eq!(policy("GET /new"), OnOutage::Open);
    assert_eq!(policy("GET /keyed"), OnOutage::Closed, "a key that cannot be verified grants nothing");
}

#[test]
fn networks_are_allowed_or_denied() {
    let config = config(&json!({ "routes": [
        { "match": "* /in", "allow": ["203.0.113.0/24"] },
        { "match": "* /out", "deny": ["203.0.113.7"] },
        { "match": "* /free", "exempt": true },
    ] }));
    for path in ["/in", "/free"] {
        let facts = with_key(&format!("GET {path}"));
        let request = routed(&facts, &config).unwrap();
        assert_eq!(request.key(), None, "no lookup is needed");
        assert!(request.identify(Caller::Anonymous, NOW).unwrap().charge.is_none());
    }
    assert_eq!(routed(&facts("GET /out"), &config).unwrap_err().status, 403);
    assert_eq!(routed(&facts("GET /free%2F..%2Fin"), &config).unwrap_err().status, 400);
}

/// The corrections after a response: the names of the limits, what was charged, and the real cost.
fn corrected(identified: &IdentifiedRequest, status: u16, reported: Option<u64>) -> Vec<String> {
    corrected_by(identified, status, reported.map(Reported::Cost).as_slice())
}

fn corrected_by(identified: &IdentifiedRequest, status: u16, reported: &[Reported]) -> Vec<String> {
    let charge = identified.charge.as_ref().unwrap();
    let names = |limits: &[Limit]| limits.iter().map(|limit| limit.name().to_string()).collect::<Vec<_>>().join("+");
    let corrections = charge.corrections(status, reported);
    corrections.iter().map(|c| format!("{} {} -> {}", names(&c.limits), c.charged, c.real)).collect()
}

#[test]
fn a_route_with_limits_of_its_own_charges_its_cost_there() {
    let config = config(&json!({ "usage": false, "routes": [{
        "match": "POST /v1/chat", "cost": 1000, "settle": "x-tokens-used", "refund_on": ["5xx"],
        "limits": [{ "name": "tokens", "algorithm": "token_bucket", "limit": 100_000, "window": "1m" }],
    }] }));
    let facts = with_key("POST /v1/chat");
    let identified = routed(&facts, &config).unwrap().identify(acme("pro", Status::Active), NOW).unwrap();
    assert_eq!(costs(&identified), ["burst 500 1", "inflight 5 1", "tokens 100000 1000"]);
    assert_eq!(identified.charge.as_ref().unwrap().settled_by().unwrap().rules().len(), 1);
    assert_eq!(corrected(&identified, 200, None), [""; 0]);
    assert_eq!(corrected(&identified, 200, Some(1000)), [""; 0]);
    assert_eq!(corrected(&identified, 200, Some(1700)), ["tokens 1000 -> 1700"]);
    assert_eq!(corrected(&identified, 503, Some(7)), ["burst+inflight 1 -> 0", "tokens 1000 -> 0"]);
}

#[test]
fn a_cut_response_costs_what_was_charged_at_least() {
    let config = config(&json!({ "usage": false, "routes": [{
        "match": "POST /v1/chat", "plan": "pro", "settle": "json:/usage/total_tokens", "refund_on": ["5xx"],
    }] }));
    let facts = facts("POST /v1/chat");
    let mut identified = routed(&facts, &config).unwrap().identify(Caller::Anonymous, NOW).unwrap();
    identified.charge.as_mut().unwrap().set_cost(40);
    assert_eq!(corrected_by(&identified, 200, &[Reported::Nothing]), [""; 0]);
    assert_eq!(corrected_by(&identified, 200, &[Reported::AtLeast(39)]), [""; 0]);
    assert_eq!(corrected_by(&identified, 200, &[Reported::AtLeast(41)]), ["burst+inflight 40 -> 41"]);
    assert_eq!(corrected_by(&identified, 200, &[Reported::Cost(39)]), ["burst+inflight 40 -> 39"]);
    assert_eq!(corrected_by(&identified, 500, &[Reported::AtLeast(41)]), ["burst+inflight 40 -> 0"]);
}

#[test]
fn a_settlement_by_limit_corrects_each_by_its_own_cost() {
    let tokens = |name: &str| json!({ "name": name, "algorithm": "fixed_window", "limit": 100_000, "window": "1m" });
    let config = config(&json!({ "routes": [{
        "match": "POST /v1/chat", "cost": 1000, "refund_on": ["5xx"], "settle": { "out": "x-out", "in": "x-in" },
        "limits": [tokens("in"), tokens("out"), tokens("both")],
    }] }));
    let facts = facts("POST /v1/chat");
    let identified = routed(&facts, &config).unwrap().identify(Caller::Anonymous, NOW).unwrap();
    let names: Vec<_> = identified.charge.as_ref().unwrap().settled_by().unwrap().rules().iter().collect();
    assert_eq!(names[0].limit.as_ref().unwrap().as_str(), "in", "rules are in the order of the names");
    let reported = [Reported::Cost(50), Reported::Cost(2000)];
    assert_eq!(corrected_by(&identified, 200, &reported), ["in 1000 -> 50", "out 1000 -> 2000"]);
    assert_eq!(
        corrected_by(&identified, 500, &reported),
        ["burst 1 -> 0", "in 1000 -> 0", "out 1000 -> 0", "both 1000 -> 0"]
    );
}

#[test]
fn a_cost_of_the_request_is_cut_to_what_the_limits_hold() {
    let limit =
        |name: &str, limit: u64| json!({ "name": name, "algorithm": "fixed_window", "limit": limit, "window": "1m" });
    let config = config(&json!({ "routes": [
        { "match": "POST /own", "cost": "json:/max_tokens | 7", "limits": [limit("a", 100_000), limit("b", 90_000)] },
        { "match": "POST /plan", "cost": "json:/max_tokens | 7" },
        { "match": "POST /in", "cost": "json:/max_tokens | 7", "allow": ["203.0.113.7"] },
    ] }));
    let charged = |path: &str, cost: Option<u64>| {
        let facts = facts(path);
        let request = routed(&facts, &config).unwrap();
        let mut charge = request.identify(Caller::Anonymous, NOW).unwrap().charge.unwrap();
        if let Some(cost) = cost {
            charge.set_cost(cost);
        }
        (request.reading().is_some(), charge.cost())
    };
    assert_eq!(charged("POST /own", None), (true, 7));
    assert_eq!(charged("POST /own", Some(89_999)), (true, 89_999));
    assert_eq!(charged("POST /own", Some(128_000)), (true, 90_000), "the plan counts requests");
    assert_eq!(charged("POST /plan", Some(128_000)), (true, 20), "the burst of the plan");
    assert!(routed(&facts("POST /in"), &config).unwrap().reading().is_none(), "nothing is charged");
}

#[test]
fn a_route_without_limits_of_its_own_charges_its_cost_to_the_plan() {
    let routes = json!([{ "match": "* /search", "cost": 5, "count_on": ["2xx"], "plan": "pro" }]);
    let config = config(&json!({ "routes": routes }));
    let facts = facts("GET /search");
    let identified = routed(&facts, &config).unwrap().identify(Caller::Anonymous, NOW).unwrap();
    assert_eq!(costs(&identified), ["burst 50 5", "inflight 5 5"]);
    assert_eq!(corrected(&identified, 200, None), [""; 0]);
    assert_eq!(corrected(&identified, 404, None), ["burst+inflight 5 -> 0"]);
    assert_eq!(identified.charge.unwrap().leases().count(), 1);
}

#[test]
fn units_are_taken_in_advance_by_the_rule_of_the_plan_that_applies() {
    let plan = |name: &str, units: u64| {
        json!({
            "limits": [{ "name": name, "algorithm": "token_bucket", "limit": 50, "window": "10s" }],
            "prefetch": { "units": units, "hold": "500ms" },
        })
    };
    let route = |path: &str, limit: Value| json!({ "match": format!("GET {path}"), "limits": [limit] });
    let config = config(&json!({
        "plans": { "free": plan("burst", 1), "pro": plan("burst", 2), "vip": plan("other", 3) },
        "routes": [
            { "match": "GET /vip", "plan": "vip" },
            { "match": "GET /settled", "settle": "x-cost" },
            { "match": "GET /told", "cost": "header:x-cost | 1" },
            route("/exact", json!({ "name": "a", "algorithm": "sliding_log", "limit": 5, "window": "1h" })),
            route("/short", json!({ "name": "b", "algorithm": "fixed_window", "limit": 5, "window": "4s" })),
            route("/long", json!({ "name": "c", "algorithm": "fixed_window", "limit": 5, "window": "5s" })),
        ],
    }));
    let units = |path: &str, caller: Caller| {
        let facts = with_key(path);
        let charge = routed(&facts, &config).unwrap().identify(caller, NOW).unwrap().charge.unwrap();
        charge.prefetch().map(PrefetchRule::units)
    };
    let tenant = |plan| acme(plan, Status::Active);
    assert_eq!(units("GET /", Caller::Anonymous), Some(1));
    assert_eq!(units("GET /", tenant("pro")), Some(2));
    assert_eq!(units("GET /", tenant("gone")), Some(1));
    assert_eq!(units("GET /vip", tenant("pro")), Some(3));
    assert_eq!((units("GET /settled", tenant("pro")), units("GET /told", tenant("pro"))), (None, None));
    // The limits of the route must fit, too.
    assert_eq!(units("GET /exact", tenant("pro")), None);
    assert_eq!(units("GET /short", tenant("pro")), None);
    assert_eq!(units("GET /long", tenant("pro")), Some(2));
}
