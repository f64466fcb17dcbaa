//! A call of the admin API, and the replies of Redis to it.
//!
//! Lines: method and path with query; `Authorization` (the right one if empty); `Content-Type`; `If-Match`; the body; then
//! a reply on each line. Every response is one that `openapi.json` describes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use sluicegate::admin::{Admin, Call, OPENAPI, Response};
use sluicegate::config::source::ConfigSource;
use sluicegate::config::{Config, Origin};
use sluicegate::gateway::EventRing;
use sluicegate::limiter::Limiter;
use sluicegate::redis::Token;
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;

use crate::fake_redis::{FakeRedis, run as run_future};
use crate::input::Lines;

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let request = lines.text();
    let (method, target) = request.split_once(' ').unwrap_or(("GET", &request));
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let [authorization, content_type, if_match] = [lines.text(), lines.text(), lines.text()];
    let given = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    let (content_type, if_match) = (given(&content_type), given(&if_match));
    let call = Call {
        method,
        path,
        query,
        authorization: Some(if authorization.is_empty() { AUTHORIZATION } else { &authorization }),
        content_type: content_type.as_deref(),
        if_match: if_match.as_deref(),
        body: lines.bytes(),
    };
    let limiter = Limiter::new(FakeRedis::new(lines), Dialect::Plain);
    let token = Token::new(TOKEN).expect("a valid token");
    CONFIG.with(|config| {
        let admin = Admin {
            config,
            origin: &Origin::Zone,
            limiter: &limiter,
            token: &token,
            clock: &|| NOON,
            token_keys: None,
            rejected_config: None,
            url: None,
            breaker: None,
            source: &ConfigSource::Variable,
            tokens: None,
            events: &RefCell::new(EventRing::new(0)),
            sightings: &RefCell::default(),
        };
        let response = run_future(admin.answer(&call, [7; 20]));
        if !admin.is_authorized(&call) {
            assert_eq!(limiter.transport().calls(), 0, "a call without the token reaches Redis");
            assert!(response.status == 401 || path.contains("json"), "{response:?}");
        }
        assert_described(&call, &response);
        assert_well_formed(&call, &response);
    });
}

/// Asserts that the description has this path and method with this status, or that the status says so.
fn assert_described(call: &Call<'_>, response: &Response) {
    let method = if call.method == "HEAD" { "GET" } else { call.method };
    match operations(call.path).and_then(|operations| operations.get(method)) {
        Some(statuses) => assert!(statuses.contains(&response.status), "{call:?}: {response:?}"),
        None => assert!([401, 404, 405].contains(&response.status), "{call:?}: {response:?}"),
    }
}

fn assert_well_formed(call: &Call<'_>, response: &Response) {
    for (name, value) in &response.headers {
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
    }
    assert!(response.headers.contains(&("cache-control", "no-store".to_owned())), "{response:?}");
    assert!(call.method != "HEAD" || response.body.is_empty(), "{response:?}");
    if response.body.is_empty() {
        return;
    }
    let body: Value = serde_json::from_str(&response.body).expect("a body is JSON");
    let is_problem = response.headers.contains(&("content-type", "application/problem+json".to_owned()));
    assert_eq!(is_problem, response.status >= 400, "{response:?}");
    if is_problem {
        assert!(body["type"].as_str().is_some_and(|kind| kind.starts_with("urn:sluicegate:problem:")), "{body}");
        assert_eq!(body["status"], response.status);
    }
}

/// Returns the operations of a path in the description. Names in it may be percent-encoded.
fn operations(path: &str) -> Option<&'static Operations> {
    let decode = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let segments: Vec<String> = path.split('/').map(decode).collect();
    let matches = |template: &&str| {
        let expected = template.split('/');
        expected.clone().count() == segments.len()
            && expected
                .zip(&segments)
                .all(|(expected, found)| expected == found || expected.starts_with('{') && !found.is_empty())
    };
    DESCRIPTION.iter().find(|(template, _)| matches(&template.as_str())).map(|(_, operations)| operations)
}

/// The statuses of each method.
type Operations = BTreeMap<String, Vec<u16>>;

/// The description: the operations of each path.
static DESCRIPTION: LazyLock<Vec<(String, Operations)>> = LazyLock::new(|| {
    let description: Value = serde_json::from_str(OPENAPI).expect("the description is JSON");
    let statuses = |operation: &Value| {
        let responses = operation["responses"].as_object().into_iter().flatten();
        responses.map(|(status, _)| status.parse().expect("a status")).collect::<Vec<_>>()
    };
    let operations = |path: &Value| {
        let methods = path.as_object().into_iter().flatten().filter(|(_, value)| value.get("responses").is_some());
        methods.map(|(method, operation)| (method.to_uppercase(), statuses(operation))).collect()
    };
    let paths = description["paths"].as_object().expect("the description has paths");
    paths.iter().map(|(path, value)| (path.clone(), operations(value))).collect()
});

thread_local! {
    static CONFIG: Config = Config::from_json(CONFIGURATION).expect("a valid configuration");
}

const CONFIGURATION: &str = r#"{ "default_plan": "free", "plans": {
    "free": { "limits": [
        { "name": "minute", "algorithm": "fixed_window", "limit": 10, "window": "minute" },
        { "name": "day", "algorithm": "fixed_window", "limit": 100, "window": "day" }] },
    "pro": { "limits": [
        { "name": "burst", "algorithm": "token_bucket", "limit": 50, "window": "10s", "burst": 100 },
        { "name": "day", "algorithm": "sliding_log", "limit": 1000, "window": "1d" },
        { "name": "inflight", "algorithm": "concurrency", "limit": 2, "lease": "30s" }] } } }"#;

const TOKEN: &str = "admin-t0ken";
const AUTHORIZATION: &str = "Bearer admin-t0ken";

/// 2026-11-23T12:00:00Z.
const NOON: Millis = Millis::new(1_795_435_200_000);
