//! Valid routes, and the messages about invalid ones.

use serde_json::{Value, json};

use crate::config::config::Config;
use crate::config::costs::Alternative;
use crate::config::routes::RouteMatch;

fn read(routes: &Value) -> Result<Config, String> {
    let config = json!({
        "default_plan": "free",
        "plans": {
            "free": { "limits": [{ "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" }] },
            "pro": { "limits": [
                { "name": "burst", "algorithm": "token_bucket", "limit": 50, "window": "1s", "burst": 100 },
                { "name": "inflight", "algorithm": "concurrency", "limit": 5, "lease": "30s" },
            ] },
        },
        "routes": routes,
    });
    Config::from_json(&config.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_route_with_everything_is_read() {
    let tokens = json!({ "name": "tokens", "algorithm": "token_bucket", "limit": 100_000, "window": "1m" });
    let config = read(&json!([
        { "match": "GET /health", "exempt": true },
        {
            "match": "POST /v1/chat", "cost": 1000, "limits": [tokens], "settle": "X-Tokens-Used",
            "plan": "pro", "require_key": true, "on_outage": "local", "shadow": true,
            "allow": ["10.0.0.0/8", "2001:db8::1"], "deny": ["192.0.2.1"], "refund_on": ["5xx", "429"],
        },
        { "match": "POST /v1/complete", "cost": 10, "limits": [tokens], "count_on": ["2xx"] },
    ]))
    .unwrap();
    let RouteMatch::Route(chat) = config.routes.find("POST", "/v1/chat") else { panic!("no route") };
    assert_eq!((chat.cost, &chat.reading), (1000, &None));
    let settle = chat.settle.as_ref().unwrap();
    assert_eq!(settle.rules()[0].alternatives, [Alternative::Header("x-tokens-used".to_owned())]);
    assert!(chat.allows(Some("2001:db8::1".parse().unwrap())) && chat.denies(Some("192.0.2.1".parse().unwrap())));
    assert!(chat.is_free(503) && !chat.is_free(200));
}

#[test]
fn messages_name_the_path() {
    let limit =
        |name: &str, limit: u64| json!([{ "name": name, "algorithm": "sliding_log", "limit": limit, "window": "1s" }]);
    for (route, message) in [
        (json!({ "match": "/v1" }), "match: expected \"METHOD /path\" (\"* /path\" for any method), found \"/v1\""),
        (
            json!({ "match": "* /", "cost": 0 }),
            "cost: expected 1 to 9007199254740991, found 0 (a request that costs nothing is exempt)",
        ),
        (
            json!({ "match": "* /", "cost": 21 }),
            "cost: expected at most 20, the capacity of the limit \"burst\" of the plan \"free\", found 21",
        ),
        (
            json!({ "match": "* /", "cost": 9, "limits": limit("l", 8) }),
            "cost: expected at most 8, the capacity of the limit \"l\", found 9",
        ),
        (json!({ "match": "* /", "plan": "gold" }), "plan: no plan is named \"gold\" (plans: free, pro)"),
        (
            json!({ "match": "* /", "plan": "fre" }),
            "plan: no plan is named \"fre\" (did you mean \"free\"? plans: free, pro)",
        ),
        (
            json!({ "match": "* /", "limits": limit("inflight", 8) }),
            "limits[0].name: the plan \"pro\" has a limit of this name, too",
        ),
        (
            json!({ "match": "* /", "limits": limit("_day", 8) }),
            "limits[0].name: a name that begins with \"_\" is reserved",
        ),
        (json!({ "match": "* /", "exempt": true, "cost": 2 }), "cost: has no effect on a route that is exempt"),
        (
            json!({ "match": "* /", "deny": ["10.0.0.0/33"] }),
            "deny[0]: expected an address or a network like \"192.0.2.0/24\", found \"10.0.0.0/33\"",
        ),
        (
            json!({ "match": "* /", "allow": ["::/0", "::ffff:192.0.2.0/80"] }),
            "allow[1]: expected an address or a network like \"192.0.2.0/24\", found \"::ffff:192.0.2.0/80\"",
        ),
        (json!({ "match": "* /", "settle": "a b" }), "settle: expected the name of a header, found \"a b\""),
        (
            json!({ "match": "* /", "refund_on": ["5xx", "x"] }),
            "refund_on[1]: expected a status like \"404\" or a class like \"5xx\", found \"x\"",
        ),
        (
            json!({ "match": "* /", "refund_on": ["5xx"], "count_on": ["2xx"] }),
            "count_on: cannot be combined with refund_on (one lists the statuses that count, the other those that do not)",
        ),
    ] {
        assert_eq!(read(&json!([route])).unwrap_err(), format!("routes[0].{message}"));
    }
}

#[test]
fn conflicting_routes_are_refused() {
    let tokens = |limit: u64| json!([{ "name": "tokens", "algorithm": "sliding_log", "limit": limit, "window": "1s" }]);
    let error = read(&json!([
        { "match": "* /a", "limits": tokens(5) },
        { "match": "* /b", "limits": tokens(6) },
    ]));
    let problem = "routes[1].limits[0].name: routes[0] has another limit of this name (the same limit is shared)";
    assert_eq!(error.unwrap_err(), problem);
    let error = read(&json!([{ "match": "* /v1/*" }, { "match": "GET /v1/x" }])).unwrap_err();
    assert_eq!(error, "routes[1].match: is never reached (routes[0], \"* /v1/*\", comes first)");
}

#[test]
fn logs_of_one_name_have_one_window_for_one_client() {
    let log = |window: &str| json!({ "name": "reqs", "algorithm": "sliding_log", "limit": 3, "window": window });
    let read = |loose: &Value, route: &Value| {
        let config = json!({
            "default_plan": "strict",
            "plans": { "strict": { "limits": [log("1h")] }, "loose": { "limits": [loose] } },
            "routes": [route],
        });
        Config::from_json(&config.to_string()).map(drop).map_err(|error| error.to_string())
    };
    let problem = "routes[0]: the sliding_log \"reqs\" has another window in the plan \"strict\", which the same \
                   client may have elsewhere (give one of them another name)";
    let named = json!({ "match": "* /loose", "plan": "loose" });
    assert_eq!(read(&log("1ms"), &named).unwrap_err(), problem);
    assert_eq!(read(&log("1h"), &named), Ok(()));
    assert_eq!(read(&log("1ms"), &json!({ "match": "* /loose" })), Ok(()), "no client has two plans");
    let other = json!({ "name": "x", "algorithm": "sliding_log", "limit": 3, "window": "1s" });
    let own = json!({ "match": "* /own", "plan": "loose", "limits": [log("1m")] });
    assert_eq!(read(&other, &own).unwrap_err(), problem);
}

#[test]
fn ipv4_mapped_networks_are_ipv4() {
    let config = read(&json!([
        { "match": "GET /a", "deny": ["::ffff:192.0.2.0/120", "::ffff:198.51.100.7"], "allow": ["::ffff:0:0/96"] },
    ]))
    .unwrap();
    let RouteMatch::Route(route) = config.routes.find("GET", "/a") else { panic!("no route") };
    let address = |text: &str| Some(text.parse().unwrap());
    assert!(route.denies(address("192.0.2.200")) && route.denies(address("::ffff:198.51.100.7")));
    assert!(!route.denies(address("192.0.3.1")) && route.allows(address("192.0.3.1")));
    assert!(!route.allows(address("2001:db8::1")));
}

#[test]
fn a_head_after_its_get_is_never_reached() {
    let error = read(&json!([{ "match": "GET /x" }, { "match": "HEAD /x" }])).unwrap_err();
    assert_eq!(error, "routes[1].match: is never reached (routes[0], \"GET /x\", comes first)");
}
