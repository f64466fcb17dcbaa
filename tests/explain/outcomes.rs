//! Explanations of single requests.

use serde_json::{Value, json};
use sluicegate::admin::explain_offline;

use crate::gateway::{KEY, NOW, SIGNER, claims};

fn config() -> Value {
    json!({
        "identify": ["api_key", "jwt", "address"],
        "jwt": { "jwks": "variable:KEYS", "issuer": "i", "audience": "a" },
        "default_plan": "free",
        "plans": {
            "free": { "limits": [{ "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" }] },
            "pro": { "limits": [{ "name": "day", "algorithm": "fixed_window", "limit": 9, "window": "day", "by": "header:x-user" }] },
        },
        "routes": [
            { "match": "GET /health", "exempt": true },
            {
                "match": "POST /openai/v1/chat",
                "strip": "/openai",
                "origin": "https://api.openai.example",
                "set": { "authorization": "Bearer {secret:ORIGIN_KEY}" },
                "remove": ["cookie"],
                "cost": "json:/max_tokens | 100",
                "settle_dialect": "openai",
                "refund_on": ["5xx"],
                "limits": [{ "name": "tokens", "algorithm": "fixed_window", "limit": 900, "window": "month" }],
            },
            { "match": "* /keyed", "require_key": true },
        ],
    })
}

fn explain(request: &Value) -> Result<Value, String> {
    let answer = explain_offline(&config().to_string(), None, &request.to_string(), NOW);
    answer.map(|answer| serde_json::from_str(&answer).unwrap())
}

#[test]
fn a_request_that_tells_its_cost_is_explained_to_the_end() {
    let explanation = explain(&json!({
        "method": "POST",
        "path": "/openai/v1/chat?x=1",
        "headers": { "X-API-Key": KEY.reveal(), "Cookie": "a=b", "X-User": "ada", "Connection": "close" },
        "address": "203.0.113.7",
        "body": { "max_tokens": 5000 },
        "plan": "pro",
    }));
    let limit = json!({
        "name": "day", "algorithm": "fixed_window", "limit": 9, "window": "1d", "burst": null, "lease": null,
        "counts": "requests", "by": "header:x-user", "from": "plan", "charge": 1, "key": "sg:1:{acme}:by:header:x-user:ada",
    });
    let tokens = json!({
        "name": "tokens", "algorithm": "fixed_window", "limit": 900, "window": "month", "burst": null, "lease": null,
        "counts": "cost", "by": null, "from": "route", "charge": 900, "key": "sg:1:{acme}",
    });
    assert_eq!(
        explanation.unwrap(),
        json!({
            "outcome": "checked",
            "refusal": null,
            "route": { "index": 1, "match": "POST /openai/v1/chat" },
            "caller": { "kind": "tenant", "subject": "acme", "tenant": "acme", "plan": "pro", "verified": false },
            "limits": [limit, tokens],
            "cost": { "units": 900, "from": "json:/max_tokens" },
            "settle": [{ "limit": null, "from": "openai: input + output" }],
            "shadow": false,
            "on_outage": "open",
            "onward": {
                "origin": "https://api.openai.example",
                "url": "https://api.openai.example/v1/chat?x=1",
                "set": ["accept-encoding", "authorization", "sluicegate-tenant", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
                "removed": ["connection", "cookie", "x-api-key"],
            },
            "steps": [
                "The first route that matches is routes[1]: POST /openai/v1/chat.",
                "The API key was not looked up: this assumes that it is valid, and that the tenant acme has the plan pro.",
                "The caller is acme, with the limits of the plan pro.",
                "The request tells its cost, 5000, in json:/max_tokens.",
                "Limits that count the request as one: day.",
                "Limits that are charged its cost: tokens.",
                "The cost is 900.",
                "One call to Redis checks all limits: if one of them denies the request, nothing is charged and the status is 429.",
                "While Redis is unavailable, the request is forwarded without a check.",
                "Allowed, the request is sent to https://api.openai.example/v1/chat?x=1.",
                "After the response, the cost is corrected by openai: input + output.",
                "A response with status 5xx costs nothing.",
            ],
        })
    );
}

#[test]
fn no_token_is_said_to_be_verified_without_its_keys() {
    let with = |token: String| json!({ "method": "GET", "path": "/x", "headers": { "authorization": format!("Bearer {token}") } });
    let signed = |changes: Value| SIGNER.with(|signer| signer.token(&claims(&changes)));
    let explanation = explain(&with(signed(json!({})))).unwrap();
    assert_eq!(
        explanation["caller"],
        json!({ "kind": "token", "subject": "jwt:alice", "tenant": null, "plan": "free", "verified": false })
    );
    assert!(explanation["steps"].to_string().contains("signature of the token was not verified"));
    let explanation = explain(&with(signed(json!({ "iss": "other" })))).unwrap();
    assert_eq!(explanation["refusal"]["problem"], "invalid-token");
    assert_eq!((&explanation["caller"], &explanation["onward"]), (&Value::Null, &Value::Null));
}

#[test]
fn requests_that_are_not_checked_say_why() {
    for (method, path, outcome, step) in [
        ("GET", "/health", "exempt", "No limit is checked: the route is exempt."),
        ("GET", "/_sluicegate/v1/tenants", "own", "The path belongs to sluicegate: it has no route and no limit."),
        (
            "GET",
            "/keyed",
            "refused",
            "The request is refused with status 401: this path needs an API key (as Authorization: Bearer).",
        ),
    ] {
        let explanation = explain(&json!({ "method": method, "path": path })).unwrap();
        assert_eq!(explanation["outcome"], outcome, "{explanation}");
        assert!(explanation["steps"].as_array().unwrap().iter().any(|found| found == step), "{explanation}");
        assert_eq!((&explanation["limits"], &explanation["cost"]), (&json!([]), &Value::Null));
    }
}

#[test]
fn the_host_of_the_request_is_that_of_its_url() {
    let url = |headers: Value| {
        explain(&json!({ "method": "GET", "path": "/a/../x?y", "headers": headers })).unwrap()["onward"]["url"].clone()
    };
    assert_eq!(url(json!({ "host": "api.example:8443" })), "https://api.example:8443/x?y");
    assert_eq!(url(json!({})), "https://host.invalid/x?y");
}

#[test]
fn invalid_input_is_named() {
    let problem = |request: Value| explain(&request).unwrap_err();
    let get = |more: Value| {
        let mut request = json!({ "method": "GET", "path": "/" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        problem(request)
    };
    assert_eq!(problem(json!({})), "method: is missing; path: is missing");
    for (more, expected) in [
        (json!({ "method": "get" }), "method: expected a method in capitals, found \"get\""),
        (
            json!({ "path": "x" }),
            "path: expected a path like \"/v1/chat?stream=1\", of at most 8192 visible ASCII characters without \"#\"",
        ),
        (
            json!({ "headers": { "cf-connecting-ip": "::1" } }),
            "headers.cf-connecting-ip: is set by Cloudflare (give address)",
        ),
        (json!({ "headers": { "a b": "" } }), "headers.a b: is not the name of a header, of at most 128 bytes"),
        (
            json!({ "headers": { "a": 1 } }),
            "headers.a: expected a text of at most 16384 visible ASCII characters and spaces, found 1",
        ),
        (
            json!({ "headers": { "a": "\n" } }),
            "headers.a: expected a text of at most 16384 visible ASCII characters and spaces, found a text",
        ),
        (json!({ "headers": { "A": "1", "a": "2" } }), "headers.a: is given twice (the case of a name does not count)"),
        (json!({ "headers": { "host": "a b" } }), "headers.host: is not the name of a host"),
        (json!({ "headers": { "host": "a/health?" } }), "headers.host: is not the name of a host"),
        (json!({ "address": "x" }), "address: expected an IPv4 or IPv6 address"),
        (json!({ "country": "de" }), "country: expected two capitals like \"DE\", found \"de\""),
        (json!({ "asn": -1 }), "asn: expected a number from 0 to 4294967295, found -1"),
        (json!({ "body": 1 }), "body: expected a text, or an object or a list, which is sent as JSON, found 1"),
        (json!({ "plan": "gold" }), "plan: no plan is named \"gold\" (plans: free, pro)"),
        (
            json!({ "header": {} }),
            "header: unknown field (did you mean \"headers\"? known: method, path, headers, address, country, asn, body, plan)",
        ),
    ] {
        assert_eq!(get(more), expected);
    }
    let of = |config: &str, origin| explain_offline(config, origin, "{}", NOW).unwrap_err();
    assert!(of("{}", None).contains("missing field"));
    assert!(of(&config().to_string(), Some("x")).starts_with("ORIGIN: expected \"https://host\""));
}
