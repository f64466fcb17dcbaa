//! Random configurations and requests.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::gateway::{KEY, NOW, SIGNER, claims};

/// A configuration: some of the routes below, and other fields at random.
pub(crate) fn configuration() -> impl Strategy<Value = Value> {
    let ways = prop::sample::subsequence(vec!["api_key", "jwt", "header:x-user"], 0..=3).prop_shuffle();
    let limits_by = prop::sample::select(vec![
        "",
        "address",
        "header:x-user",
        "query:q",
        "cookie:c",
        "country",
        "asn",
        "route",
        "everyone",
    ]);
    let routes = prop::sample::subsequence(routes(), 0..=routes().len());
    let policy = prop::sample::select(vec!["open", "closed", "local"]);
    let cors = prop::option::of(prop::sample::select(vec!["forward", "answer"]));
    let fields = (ways, limits_by, routes, policy, cors, any::<bool>(), any::<bool>());
    fields.prop_map(|(ways, by, routes, policy, cors, usage, forward_key)| {
        let uses_tokens = ways.contains(&"jwt") || routes.iter().any(|route| route["require"] == "jwt");
        let reads_keys = ways.contains(&"api_key") || routes.iter().any(|route| route["require_key"] == true);
        let mut burst =
            json!({ "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s", "burst": 30 });
        if !by.is_empty() {
            burst["by"] = json!(by);
        }
        let identify = [ways.as_slice(), &["address"]].concat();
        let mut config = json!({
            "identify": identify,
            "default_plan": "free",
            "on_outage": policy,
            "usage": usage,
            "forward_key": forward_key && reads_keys,
            "plans": {
                "free": { "limits": [burst] },
                "pro": { "limits": [
                    { "name": "log", "algorithm": "sliding_log", "limit": 50, "window": "1m" },
                    { "name": "inflight", "algorithm": "concurrency", "limit": 5, "lease": "30s" },
                ] },
            },
            "routes": routes,
        });
        if uses_tokens {
            config["jwt"] = json!({ "jwks": "variable:KEYS", "issuer": "i", "audience": "a", "plan_claim": "plan" });
        }
        if let Some(preflight) = cors {
            config["cors"] = json!({ "origins": "*", "preflight": preflight });
        }
        config
    })
}

/// No route makes a later one unreachable.
fn routes() -> Vec<Value> {
    let tokens = json!({ "name": "tokens", "algorithm": "fixed_window", "limit": 900, "window": "month" });
    vec![
        json!({ "match": "GET /health", "exempt": true }),
        json!({ "match": "POST /chat", "cost": "json:/max_tokens | header:x-batch | 40", "cost_most": 500, "limits": [tokens], "settle": "json:/usage" }),
        json!({ "match": "POST /ask", "cost": "json:/n | 2", "include_usage": true, "settle": "sse:/usage" }),
        json!({ "match": "* /keyed/*", "require_key": true, "on_outage": "open" }),
        json!({ "match": "* /members/*", "require": "jwt" }),
        json!({ "match": "* /denied/*", "deny": ["203.0.113.0/24"] }),
        json!({ "match": "* /allowed/*", "allow": ["203.0.113.0/24"] }),
        json!({ "match": "GET /repos/:repo", "limits": [{ "name": "repo", "algorithm": "sliding_window", "limit": 9, "window": "1h", "by": "path:repo" }] }),
        json!({ "match": "* /a/b/*", "strip": "/a", "origin": "https://other.example/base", "set": { "x-set": "v", "authorization": "{secret:ORIGIN_TOKEN}" }, "remove": ["cookie"] }),
        json!({ "match": "* /shadow", "shadow": true, "plan": "pro", "cost": 3, "refund_on": ["5xx"] }),
        json!({ "match": "GET /service", "origin": "service:API", "count_on": ["2xx"] }),
    ]
}

/// A request, with the plan of its tenant.
pub(crate) fn request() -> impl Strategy<Value = Value> {
    let paths = [
        "/",
        "/health",
        "/chat",
        "/chat?q=1",
        "/ask",
        "/keyed/x",
        "/members/x",
        "/denied/x",
        "/allowed/x",
        "/repos/linux",
        "/repos/a%2Fb",
        "/a/b/c?q=2&q=3",
        "/a%2Fb/..%2Fc",
        "/shadow",
        "/service",
        "/CHAT/",
        "/x/../health",
        "/_sluicegate/health",
    ];
    let headers = prop::collection::vec(header(), 0..5);
    let body = prop_oneof![
        3 => Just(Value::Null),
        2 => (0..2000_u64).prop_map(|units| json!({ "max_tokens": units, "n": units, "stream": true })),
        1 => Just(json!("{\"max_tokens\":1,\"max_tokens\":2}")),
        1 => Just(json!("not JSON")),
        1 => Just(json!([1.5])),
    ];
    let address = prop::option::of(prop::sample::select(vec![
        "203.0.113.7",
        "198.51.100.1",
        "2001:db8:1:2:3::4",
        "::ffff:203.0.113.9",
    ]));
    let place = prop::option::of((Just("DE"), 0..100_000_u32));
    let methods = prop::sample::select(vec!["GET", "POST", "HEAD", "OPTIONS", "DELETE"]);
    let plan = prop::sample::select(vec!["free", "pro"]);
    let fields = (methods, prop::sample::select(paths.to_vec()), headers, body, address, place, plan);
    fields.prop_map(|(method, path, headers, body, address, place, plan)| {
        let mut request = json!({ "method": method, "path": path, "plan": plan });
        request["headers"] = Value::Object(headers.into_iter().collect::<Map<_, _>>());
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                request[name] = value;
            }
        };
        add("body", Some(body).filter(|body| !body.is_null()));
        add("address", address.map(Value::from));
        add("country", place.map(|(country, _)| country.into()));
        add("asn", place.map(|(_, asn)| asn.into()));
        request
    })
}

fn header() -> impl Strategy<Value = (String, Value)> {
    let signed = |changes: Value| format!("Bearer {}", SIGNER.with(|signer| signer.token(&claims(&changes))));
    let of = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    prop::sample::select(vec![
        of("x-api-key", KEY.reveal()),
        of("authorization", &format!("Bearer {}", KEY.reveal())),
        of("x-api-key", "sgk_acme_wrong"),
        of("x-api-key", CANARY),
        of("authorization", &signed(json!({}))),
        of("authorization", &signed(json!({ "plan": "pro" }))),
        of("authorization", &signed(json!({ "plan": "gone" }))),
        of("authorization", &signed(json!({ "exp": NOW.get() / 1000 - 60 }))),
        of("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.YQ"),
        of("authorization", CANARY),
        of("x-user", "ada"),
        of("x-batch", "70"),
        of("cookie", &format!("c={CANARY}")),
        of("connection", "x-user"),
        of("x-forwarded-for", CANARY),
        of("x-other", CANARY),
        of("content-encoding", "gzip"),
        of("origin", "https://app.example"),
        of("access-control-request-method", "POST"),
        of("host", "api.example:8443"),
    ])
}

/// A text that no explanation may have.
pub(crate) const CANARY: &str = "canary-5f1c";
