//! For any request and any replies of Redis, the response matches the API description.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::admin::{Admin, Call, OPENAPI};
use sluicegate::config::source::ConfigSource;
use sluicegate::config::{Config, Origin};
use sluicegate::gateway::EventRing;
use sluicegate::limiter::Limiter;
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{RedisError, Response, Token, Transport};
use sluicegate::time::Millis;

use crate::service::{NOON, TOKEN, config};

/// A transport that returns the given replies in turn.
struct FixedReplies {
    replies: Vec<String>,
    turn: Cell<usize>,
}

impl Transport for FixedReplies {
    async fn post(&self, _body: String) -> Result<Response, RedisError> {
        let turn = self.turn.replace(self.turn.get() + 1);
        match self.replies[turn % self.replies.len()].as_str() {
            "unreachable" => Err(RedisError::Unreachable { reason: "gone".to_owned() }),
            "500" => Ok(Response { status: 500, body: b"oops".into() }),
            body => Ok(Response { status: 200, body: body.into() }),
        }
    }
}

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// Returns the description of the path that matches `path`.
fn path_description(path: &str) -> Option<&'static Value> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let matches = |template: &str| {
        let (expected, found): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        expected.len() == found.len()
            && expected
                .iter()
                .zip(&found)
                .all(|(expected, found)| expected == found || expected.starts_with('{') && !found.is_empty())
    };
    paths.iter().find(|(template, _)| matches(template)).map(|(_, path)| path)
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "tenants|keys|usage|reset|refund|check|locks|acquire|renew|release|values|swap|diagnosis|openapi\\.json",
        4 => "acme|a|job|k1",
        1 => "[!-~]{0,5}",
        1 => "(%[0-9a-f]{2}){0,3}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(DESCRIPTION["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>())
            .prop_map(|path| path.replace("{id}", "acme").replace("{name}", "n").replace("{key}", "k").replace("{value}", "v")),
        2 => prop::collection::vec(segment(), 0..6).prop_map(|segments| format!("/{}", segments.join("/"))),
        1 => "\\PC{0,20}",
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1e999".to_owned()),
        Just("{}".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        (0_u64..100).prop_map(|number| number.to_string()),
        "[a-z]{0,4}".prop_map(|text| format!("\"{text}\"")),
        Just("\"2026-12-01T00:00:00Z\"".to_owned()),
        Just("\"free\"".to_owned()),
        Just("\"POST\"".to_owned()),
        Just("\"/chat?x=1\"".to_owned()),
        Just(r#"{"x-api-key":"sgk_acme_x","host":"a b"}"#.to_owned()),
        Just(r#"{"day":{"limit":5,"until":null},"minute":null}"#.to_owned()),
        Just(r#"[{"name":"l","algorithm":"fixed_window","limit":5,"window":"month"}]"#.to_owned()),
    ];
    let name = prop::sample::select(vec![
        "id",
        "plan",
        "status",
        "overrides",
        "metadata",
        "expires",
        "units",
        "request",
        "charged_at",
        "subject",
        "tenant",
        "limits",
        "cost",
        "peek",
        "lease",
        "owner",
        "token",
        "ttl_ms",
        "value",
        "expected",
        "new",
        "method",
        "path",
        "headers",
        "address",
        "country",
        "asn",
        "body",
        "x",
    ]);
    let object = prop::collection::vec((name, value), 0..6).prop_map(|fields| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    prop_oneof![8 => object, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

fn redis_reply() -> impl Strategy<Value = String> {
    let document = |text: &str| serde_json::json!({ "result": text }).to_string();
    prop_oneof![
        Just(document(r#"{"v":1,"plan":"free","status":"active","keys":[],"overrides":{},"metadata":{}}"#)),
        Just(document(r#"{"v":1,"plan":"pro","status":"active","keys":[],"overrides":{},"metadata":{}}"#)),
        Just(document("oops")),
        Just(r#"{"result":null}"#.to_owned()),
        Just(r#"{"result":"PONG"}"#.to_owned()),
        Just(r#"{"result":["1795435200","5"]}"#.to_owned()),
        Just(r#"{"result":["99999999999999999999","x"]}"#.to_owned()),
        Just(r#"{"result":["acme","b"]}"#.to_owned()),
        Just(r#"{"result":[1,null]}"#.to_owned()),
        Just(r#"{"result":[0,"other"]}"#.to_owned()),
        (0_u8..3).prop_map(|number| format!(r#"{{"result":{number}}}"#)),
        prop::collection::vec(prop_oneof![0_i64..3, any::<i64>()], 0..12)
            .prop_map(|numbers| format!(r#"{{"result":{numbers:?}}}"#)),
        Just(r#"{"error":"NOSCRIPT No matching script"}"#.to_owned()),
        Just(r#"{"error":"WRONGTYPE no"}"#.to_owned()),
        Just("unreachable".to_owned()),
        Just("500".to_owned()),
        "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]
    #[test]
    fn every_response_matches_the_description(
        method in "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|[a-zA-Z]{0,7}",
        path in path(),
        query in prop::option::of("(limit=[0-9]{0,3}|cursor=[a-z.]{0,3})?|\\PC{0,10}"),
        authorized in prop::bool::weighted(0.95),
        content_type in prop::option::weighted(0.95, "application/(merge-patch\\+)?json|\\PC{0,10}"),
        if_match in prop::option::of("\\*|\"[0-9a-f]{0,32}\"|\\PC{0,10}"),
        body in body(),
        replies in prop::collection::vec(redis_reply(), 1..5),
    ) {
        let limiter = Limiter::new(FixedReplies { replies, turn: Cell::new(0) }, Dialect::Plain);
        let (config, token) = (Config::from_json(&config().to_string()).unwrap(), Token::new(TOKEN).unwrap());
        let admin = Admin { config: &config, origin: &Origin::Zone, limiter: &limiter, token: &token, clock: &|| Millis::new(NOON), token_keys: None, rejected_config: None, url: None, breaker: None, source: &ConfigSource::Variable, tokens: None, events: &RefCell::new(EventRing::new(0)), sightings: &RefCell::default() };
        let authorization = authorized.then(|| format!("Bearer {TOKEN}"));
        let call = Call {
            method: &method,
            path: &path,
            query: query.as_deref(),
            authorization: authorization.as_deref(),
            content_type: content_type.as_deref(),
            if_match: if_match.as_deref(),
            body: &body,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let response = runtime.block_on(admin.answer(&call, [7; 20]));

        let status = response.status.to_string();
        let operation = path_description(&path).map(|path| &path[&method.replace("HEAD", "GET").to_lowercase()]);
        match operation.filter(|operation| method.chars().all(|c| c.is_ascii_uppercase()) && !operation.is_null()) {
            Some(operation) => prop_assert!(!operation["responses"][&status].is_null(), "{method} {path}: {response:?}"),
            None => prop_assert!([401, 404, 405].contains(&response.status), "{method} {path}: {response:?}"),
        }
        if !response.body.is_empty() {
            let body: Value = serde_json::from_str(&response.body).unwrap();
            let problem = response.headers.contains(&("content-type", "application/problem+json".to_owned()));
            prop_assert_eq!(problem, response.status >= 400);
            prop_assert!(!problem || body["type"].as_str().unwrap().starts_with("urn:sluicegate:problem:"));
        }
        for (name, value) in &response.headers {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value}");
        }
    }
}
