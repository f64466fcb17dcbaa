//! Which of several identities counts, and what a token and a header make of a request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use serde_json::{Value, json};

use super::tests::{NOW, acme, costs, facts, routed, with_key};
use super::*;
use crate::tenant::Status;

fn config(identify: &Value, more: &Value) -> Config {
    let mut routes = vec![
        json!({ "match": "* /members/*", "require": "jwt" }),
        json!({ "match": "* /keys/*", "require_key": true }),
        json!({ "match": "* /free/members/*", "require": "jwt", "exempt": true }),
        json!({ "match": "* /free/*", "exempt": true }),
    ];
    routes.extend(more.as_array().unwrap().iter().cloned());
    super::tests::config(&json!({
        "identify": identify,
        "jwt": { "jwks": "https://id.example/jwks", "issuer": "i", "audience": "a" },
        "routes": routes,
    }))
}

fn token(header: &str) -> String {
    format!("{}.e30.YQ", URL_SAFE_NO_PAD.encode(header))
}

fn with_token(request: &str) -> RequestFacts {
    RequestFacts { token: Some(token(r#"{"alg":"RS256"}"#)), ..facts(request) }
}

fn with_header(facts: RequestFacts, name: &str, value: &str) -> RequestFacts {
    RequestFacts { identity_headers: vec![(name.to_owned(), value.to_owned())], ..facts }
}

fn alice(plan: Option<&str>) -> Caller {
    Caller::Subject(Identity { subject: "alice".to_owned(), plan: plan.map(str::to_owned) })
}

/// What is verified first: `key`, `token` (if there is no key, or after a key of nobody), or nothing.
fn verified(facts: &RequestFacts, config: &Config) -> (bool, bool, bool) {
    let request = routed(facts, config).unwrap();
    let token = |caller: &Caller| request.token(caller).unwrap().is_some();
    (request.key().is_some(), token(&Caller::Anonymous), token(&Caller::UnknownKey))
}

#[test]
fn the_first_identity_that_the_request_has_is_verified() {
    let (key, token) = (with_key("GET /"), with_token("GET /"));
    let both = RequestFacts { api_key: key.api_key.clone(), ..token.clone() };
    let named = with_header(both.clone(), "x-user", "bob");
    let key_first = json!(["api_key", "jwt", "address"]);
    let token_first = json!(["jwt", "api_key", "address"]);
    let header_first = json!(["header:x-user", "jwt", "api_key", "address"]);
    let address_first = json!(["address", "jwt", "api_key"]);
    for (identify, facts, expected) in [
        (&key_first, &key, (true, false, false)),
        (&key_first, &token, (false, true, true)),
        (&key_first, &both, (true, false, true)),
        (&token_first, &both, (false, true, true)),
        (&token_first, &key, (true, false, false)),
        (&header_first, &both, (false, true, true)),
        (&header_first, &named, (false, false, false)),
        (&address_first, &both, (false, false, false)),
    ] {
        assert_eq!(verified(facts, &config(identify, &json!([]))), expected, "{identify} {facts:?}");
    }
    let nowhere = RequestFacts { address: None, ..both };
    assert_eq!(verified(&nowhere, &config(&address_first, &json!([]))), (false, true, true));
}

#[test]
fn a_route_says_what_it_needs() {
    let config = config(&json!(["api_key", "jwt", "address"]), &json!([]));
    let both = |request| RequestFacts { api_key: with_key(request).api_key, ..with_token(request) };
    assert_eq!(verified(&both("GET /members/x"), &config), (false, true, true));
    assert_eq!(verified(&both("GET /free/members/x"), &config), (false, true, true));
    assert_eq!(verified(&both("GET /keys/x"), &config), (true, false, false));
    assert_eq!(verified(&both("GET /free/x"), &config), (false, false, false));
    let refused = |facts: &RequestFacts| routed(facts, &config).map(|_| ()).unwrap_err().name();
    assert_eq!(refused(&with_key("GET /members/x")), "token-required");
    assert_eq!(refused(&with_token("GET /keys/x")), "key-required");
    let members = both("GET /members/x");
    let request = routed(&members, &config).unwrap();
    for caller in [Caller::Anonymous, Caller::UnknownKey, acme("pro", Status::Active)] {
        assert_eq!(request.identify(caller, NOW).unwrap_err().name(), "token-required");
    }
    assert_eq!(request.identify(alice(None), NOW).unwrap().subject.as_str(), "jwt:alice");
    let keys = both("GET /keys/x");
    assert_eq!(routed(&keys, &config).unwrap().identify(alice(None), NOW).unwrap_err().name(), "unknown-key");
}

#[test]
fn a_malformed_token_is_refused_where_it_counts() {
    let config = config(&json!(["api_key", "jwt", "address"]), &json!([]));
    let bad = |request, header| RequestFacts { token: Some(token(header)), ..facts(request) };
    let refused = |facts: &RequestFacts| routed(facts, &config).err().map(|problem| problem.name());
    let none = r#"{"alg":"none"}"#;
    assert_eq!(refused(&bad("GET /", none)), Some("invalid-token"));
    assert_eq!(refused(&bad("GET /members/x", none)), Some("invalid-token"));
    assert_eq!(refused(&bad("GET /free/x", none)), None);
    assert_eq!(refused(&bad("GET /", "opaque")), None, "it is for the origin");
    assert_eq!(refused(&bad("GET /members/x", "opaque")), Some("token-required"));
    let both = RequestFacts { api_key: with_key("GET /").api_key, ..bad("GET /", none) };
    let request = routed(&both, &config).unwrap();
    assert_eq!(request.token(&acme("pro", Status::Active)), Ok(None), "the key counts");
    assert_eq!(request.token(&Caller::UnknownKey).unwrap_err().name(), "invalid-token");
}

#[test]
fn a_charge_names_the_plan_that_applies() {
    let config = config(&json!(["api_key", "jwt", "address"]), &json!([{ "match": "GET /pro", "plan": "pro" }]));
    let plan = |path: &str, caller: Caller| {
        let facts = facts(path);
        let identified = routed(&facts, &config).unwrap().identify(caller, NOW).unwrap();
        identified.charge.unwrap().plan().to_owned()
    };
    assert_eq!(plan("GET /", Caller::Anonymous), "free");
    assert_eq!(plan("GET /", acme("pro", Status::Active)), "pro");
    assert_eq!(plan("GET /", acme("gone", Status::Active)), "free");
    assert_eq!(plan("GET /", alice(Some("pro"))), "pro");
    assert_eq!(plan("GET /", alice(None)), "free");
    assert_eq!(plan("GET /pro", Caller::Anonymous), "pro");
}

#[test]
fn a_token_names_a_subject_and_a_plan() {
    let config = config(&json!(["api_key", "jwt", "address"]), &json!([{ "match": "GET /pro", "plan": "pro" }]));
    let identified = |path: &str, plan: Option<&str>| {
        let facts = with_token(path);
        routed(&facts, &config).unwrap().identify(alice(plan), NOW).unwrap()
    };
    let known = identified("GET /", Some("pro"));
    assert_eq!((known.subject.as_str(), known.token_subject.as_deref()), ("jwt:alice", Some("alice")));
    assert_eq!((known.tenant, &known.unknown_plan), (None, &None));
    let known = identified("GET /", Some("pro"));
    assert_eq!(costs(&known), ["burst 50 1", "inflight 5 1"], "no usage meters: they are for tenants");
    assert_eq!(costs(&identified("GET /", None)), ["burst 20 1"]);
    let unknown = identified("GET /", Some(&"x".repeat(1000)));
    assert_eq!(costs(&unknown), ["burst 20 1"]);
    assert_eq!(unknown.unknown_plan.unwrap().plan, "x".repeat(64));
    assert_eq!(costs(&identified("GET /pro", None)), ["burst 50 1", "inflight 5 1"]);
    let free = identified("GET /free/members/x", None);
    assert!(free.charge.is_none() && free.token_subject.is_some());
}

#[test]
fn a_header_names_a_subject_unless_something_before_it_does() {
    let config = config(&json!(["api_key", "header:x-user", "jwt", "address"]), &json!([]));
    let subject = |facts: &RequestFacts, caller| {
        routed(facts, &config).unwrap().identify(caller, NOW).unwrap().subject.as_str().to_owned()
    };
    let named = with_header(with_key("GET /"), "x-user", "bob");
    assert_eq!(subject(&named, acme("pro", Status::Active)), "acme");
    assert_eq!(subject(&named, Caller::UnknownKey), "header:x-user:bob");
    assert_eq!(subject(&with_header(facts("GET /"), "x-other", "bob"), Caller::Anonymous), "ip:203.0.113.7");
    let nowhere = RequestFacts { address: None, ..facts("GET /") };
    assert_eq!(subject(&nowhere, Caller::Anonymous), "ip:unknown");
    let address_first = super::tests::config(&json!({ "identify": ["address", "header:x-user"] }));
    let named = with_header(facts("GET /"), "x-user", "bob");
    let request = routed(&named, &address_first).unwrap();
    assert_eq!(request.identify(Caller::Anonymous, NOW).unwrap().subject.as_str(), "ip:203.0.113.7");
    let nowhere = RequestFacts { address: None, ..named };
    let request = routed(&nowhere, &address_first).unwrap();
    assert_eq!(request.identify(Caller::Anonymous, NOW).unwrap().subject.as_str(), "header:x-user:bob");
}

#[test]
fn without_keys_a_route_that_needs_a_token_is_closed() {
    let policy = |on_outage: &str, path: &str| {
        let mut config = config(&json!(["jwt", "address"]), &json!([{ "match": "* /shadow", "shadow": true }]));
        config.on_outage = serde_json::from_value(json!(on_outage)).unwrap();
        let facts = with_token(path);
        routed(&facts, &config).unwrap().without_token_keys()
    };
    assert_eq!(policy("open", "GET /"), OnOutage::Open);
    assert_eq!(policy("local", "GET /"), OnOutage::Local);
    assert_eq!(policy("closed", "GET /"), OnOutage::Closed);
    assert_eq!(policy("closed", "GET /shadow"), OnOutage::Open);
    assert_eq!(policy("open", "GET /members/x"), OnOutage::Closed);
}
