//! Costs of routes, and the messages about invalid ones.

use serde_json::{Value, json};

use crate::config::config::Config;
use crate::config::costs::{BodyFormat, CostSource};
use crate::config::routes::{Route, RouteMatch};

fn read(more: &Value) -> Result<Route, String> {
    let limit = |name: &str| json!({ "name": name, "algorithm": "fixed_window", "limit": 1000, "window": "1m" });
    let mut route = json!({
        "match": "POST /chat",
        "limits": [limit("input"), limit("output"), { "name": "places", "algorithm": "concurrency", "limit": 9, "lease": "1m" }],
    });
    route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = json!({
        "default_plan": "p",
        "plans": { "p": { "limits": [{ "name": "all", "algorithm": "fixed_window", "limit": 9, "window": "1m" }] } },
        "routes": [route],
    });
    let config = Config::from_json(&config.to_string()).map_err(|error| error.to_string())?;
    let RouteMatch::Route(route) = config.routes.find("POST", "/chat") else { panic!("no route") };
    Ok(Route::clone(route))
}

#[test]
fn a_cost_may_stand_in_the_request() {
    let route =
        read(&json!({ "cost": "json:/max_tokens | header:x-batch | 100", "cost_most": 500, "read_body": "1KiB" }));
    let route = route.unwrap();
    let reading = route.reading.unwrap();
    assert_eq!(route.cost, 100);
    assert_eq!(reading.sources, [CostSource::Json(0), CostSource::Header("x-batch".to_owned())]);
    assert_eq!((reading.most, reading.bytes, reading.include_usage), (500, 1024, false));
    assert_eq!(read(&json!({ "cost": 100 })).unwrap().reading, None, "nothing is read");
    assert_eq!(read(&json!({ "cost": "100" })).unwrap().cost, 100);
}

#[test]
fn a_settlement_may_differ_by_limit() {
    let route = read(&json!({
        "settle": { "input": "input", "output": "4*output" }, "settle_dialect": "openai", "include_usage": true,
    }))
    .unwrap();
    assert!(route.reading.unwrap().include_usage);
    let settle = route.settle.unwrap();
    let names: Vec<_> = settle.rules().iter().map(|rule| rule.limit.as_ref().unwrap().as_str()).collect();
    assert_eq!(names, ["input", "output"]);
    assert_eq!(settle.pointers(BodyFormat::Json).len(), 4);
}

#[test]
fn a_dialect_alone_counts_all_tokens() {
    let settle = read(&json!({ "settle_dialect": "anthropic" })).unwrap().settle.unwrap();
    assert_eq!((settle.rules().len(), settle.rules()[0].limit.as_ref()), (1, None));
    assert_eq!((settle.pointers(BodyFormat::Json).len(), settle.pointers(BodyFormat::Events).len()), (4, 8));
}

#[test]
fn messages_name_the_path() {
    for (more, message) in [
        (
            json!({ "cost": "json:/max_tokens" }),
            "cost: expected a number at the end, like \"json:/max_tokens | 1000\", found \"json:/max_tokens\"",
        ),
        (
            json!({ "cost": "json:/max_tokens | 0" }),
            "cost: expected 1 to 9007199254740991, found 0 (a request that costs nothing is exempt)",
        ),
        (
            json!({ "cost": "json:/max_tokens | 1001" }),
            "cost: expected at most 1000, the capacity of the limit \"input\", found 1001",
        ),
        (
            json!({ "cost": true }),
            "cost: invalid type: boolean `true`, expected a whole number, or a text like \"json:/max_tokens | 1000\"",
        ),
        (json!({ "cost_most": 5 }), "cost_most: has no effect on a cost that is the same for every request"),
        (
            json!({ "cost": "header:x | 10", "cost_most": 5 }),
            "cost_most: expected at least 10, which `cost` ends with, found 5",
        ),
        (json!({ "cost_most": 0 }), "cost_most: expected 1 to 9007199254740991, found 0"),
        (
            json!({ "cost": "header:x | 10", "read_body": "1KiB" }),
            "read_body: has no effect on a route that reads no body (cost = \"json:/… | 1\" and include_usage do)",
        ),
        (
            json!({ "read_body": "1GiB" }),
            "read_body: expected 1B to 1MiB, like \"256KiB\" (units: B, KiB, MiB), found \"1GiB\"",
        ),
        (
            json!({ "read_body": 65536 }),
            "read_body: expected 1B to 1MiB, like \"256KiB\" (units: B, KiB, MiB), found \"65536\"",
        ),
        (json!({ "settle": {} }), "settle: is empty"),
        (
            json!({ "settle": 7 }),
            "settle: invalid type: integer `7`, expected a text like \"json:/usage/total_tokens\", or a table of them by limit",
        ),
        (
            json!({ "settle": { "in": "x-in" } }),
            "settle.in: the route has no limit of this name (its own limits: input, output, places)",
        ),
        (
            json!({ "settle": { "all": "x-in" }, "limits": [] }),
            "settle.all: the route has no limits of its own (a text settles all limits)",
        ),
        (json!({ "settle": { "places": "x-in" } }), "settle.places: this limit counts requests, whatever they cost"),
        (
            json!({ "settle": { "input": "json:usage" } }),
            "settle.input: expected a JSON pointer like \"/usage/total_tokens\", found \"usage\"",
        ),
        (
            json!({ "settle": "usage", "settle_dialect": "openai" }),
            "settle: unknown name \"usage\" (known: input, output; a header is written header:NAME)",
        ),
        (
            json!({ "settle_dialect": "openapi" }),
            "settle_dialect: unknown dialect \"openapi\" (did you mean \"openai\"? known: openai, anthropic)",
        ),
        (
            json!({ "include_usage": true, "settle": "json:/usage/total_tokens" }),
            "include_usage: has no effect without a settle that reads streams (sse:/…, or a settle_dialect)",
        ),
        (
            json!({ "include_usage": true, "settle_dialect": "anthropic" }),
            "include_usage: is not a field of this API (its streams always tell their usage)",
        ),
        (
            json!({ "limits": [], "exempt": true, "settle_dialect": "openai" }),
            "settle_dialect: has no effect on a route that is exempt",
        ),
    ] {
        assert_eq!(read(&more).unwrap_err(), format!("routes[0].{message}"));
    }
}
