//! Valid rules, and the messages about invalid ones.

use serde_json::{Value, json};

use crate::config::origin_secrets::OriginSecrets;
use crate::config::routes::RouteMatch;
use crate::config::{Config, ConfigError, Onward, Origin};

fn read(route: &Value) -> Result<Config, ConfigError> {
    let limit = json!({ "name": "l", "algorithm": "fixed_window", "limit": 5, "window": "1s" });
    let config = json!({
        "default_plan": "p", "plans": { "p": { "limits": [limit] } }, "routes": [route],
        "identify": ["api_key", "address"],
    });
    Config::from_json(&config.to_string())
}

fn onward(route: &Value, path: &str) -> Onward {
    let config = read(route).unwrap();
    let RouteMatch::Route(route) = config.routes.find("GET", path) else { panic!("no route") };
    route.onward.clone()
}

#[test]
fn a_route_may_say_everything() {
    let route = json!({
        "match": "* /OpenAI/v1/*", "origin": "https://api.openai.com", "strip": "/openai/", "forward_key": true,
        "set": { "Authorization": "Bearer {secret:ORIGIN_OPENAI}", "x-from": "edge" }, "remove": ["Cookie"],
    });
    let onward = onward(&route, "/openai/v1/chat");
    assert_eq!(onward.origin, Some(Origin::Url("https://api.openai.com".to_owned())));
    assert_eq!((onward.strip, onward.forward_key), (1, Some(true)));
    assert!(onward.changes_headers());
    for name in ["cookie", "authorization", "x-from", "x_from"] {
        assert!(onward.drops(name), "{name}");
    }
    for name in ["cookie2", "x-fro", "xfrom", "accept"] {
        assert!(!onward.drops(name), "{name}");
    }
    let mut lines = String::new();
    onward.push_headers(&mut lines, &OriginSecrets::new([("ORIGIN_OPENAI", "t0ken")])).unwrap();
    assert_eq!(lines, "authorization\nBearer t0ken\nx-from\nedge\n");
    assert_eq!(onward.push_headers(&mut String::new(), &OriginSecrets::default()), None);
}

#[test]
fn a_route_need_not_say_anything() {
    assert_eq!(onward(&json!({ "match": "* /x" }), "/x"), Onward::default());
}

#[test]
fn messages_name_the_path() {
    for (fields, message) in [
        (
            json!({ "origin": "api.example.com" }),
            "origin: expected \"https://host\", \"service:NAME\" or \"zone\": relative URL without a base",
        ),
        (json!({ "strip": "a" }), "strip: expected a path like \"/prefix\", found \"a\""),
        (json!({ "strip": "/" }), "strip: expected a path like \"/prefix\", found \"/\""),
        (json!({ "strip": "/:id" }), "strip: expected a path like \"/prefix\", found \"/:id\""),
        (json!({ "strip": "/a/*" }), "strip: expected a path like \"/prefix\", found \"/a/*\""),
        (json!({ "strip": "/b" }), "strip: expected the beginning of match, \"* /a/:id/*\", found \"/b\""),
        (json!({ "strip": "/a/b" }), "strip: expected the beginning of match, \"* /a/:id/*\", found \"/a/b\""),
        (json!({ "set": { "a b": "c" } }), "set.a b: expected the name of a header, found \"a b\""),
        (
            json!({ "set": { "Host": "c" } }),
            "set.Host: \"Host\" cannot be set or removed (sluicegate, the runtime or Cloudflare decides about it)",
        ),
        (json!({ "set": { "X-A": "c", "x-a": "d" } }), "set.x-a: is set twice (the case of a name does not count)"),
        (
            json!({ "set": { "x-a": "{secret:UPSTASH_REDIS_REST_TOKEN}" } }),
            "set.x-a: names the secret \"UPSTASH_REDIS_REST_TOKEN\" (only secrets whose names begin with \"ORIGIN_\" may be \
             sent to an origin)",
        ),
        (
            json!({ "remove": ["sluicegate-tenant"] }),
            "remove[0]: \"sluicegate-tenant\" cannot be set or removed (sluicegate, the runtime or Cloudflare decides about it)",
        ),
        (json!({ "remove": ["a", "A"] }), "remove[1]: is listed twice"),
        (
            json!({ "remove": ["x-a"], "set": { "X-A": "b" } }),
            "remove[0]: \"x-a\" is in set as well (set replaces what the client sent)",
        ),
        (json!({ "set": ["a"] }), "set: invalid type: sequence, expected a map"),
    ] {
        let mut route = json!({ "match": "* /a/:id/*" });
        route.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(read(&route).unwrap_err().to_string(), format!("routes[0].{message}"));
    }
}

#[test]
fn missing_secrets_are_named_without_their_values() {
    let route = json!({ "match": "* /x", "set": { "x-a": "{secret:ORIGIN_A}", "x-b": "{secret:ORIGIN_B}" } });
    let config = read(&route).unwrap();
    let read = |b: Option<&str>| {
        OriginSecrets::read(config.secret_references(), |name| match name {
            "ORIGIN_A" => Some("hunter2hunter2".to_owned()),
            "ORIGIN_B" => b.map(str::to_owned),
            other => panic!("{other} is looked up"),
        })
    };
    let message = |b| read(b).unwrap_err().to_string();
    assert_eq!(message(None), "ORIGIN_B: is not set (run `wrangler secret put ORIGIN_B`; routes[0].set.x-b needs it)");
    assert_eq!(message(Some("")), message(None));
    assert_eq!(
        message(Some("hunter3\n")),
        "ORIGIN_B: has a character that no token has (look for a space or a line's end; routes[0].set.x-b needs it)"
    );
    let secrets = read(Some("hunter3")).unwrap();
    assert!(!format!("{secrets:?}").contains("hunter"), "{secrets:?}");
}
