//! The states in which a request is counted.

use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::gateway::find_route;
use crate::http::{RequestFacts, push_field};
use crate::tenant::Caller;
use crate::time::Millis;

fn config(by: &str, route: &Value) -> Config {
    let limit = |name: &str, by: &str| json!({ "name": name, "algorithm": "token_bucket", "limit": 5, "window": "1s", "by": by });
    let plan = if by.starts_with("path:") { "address" } else { by };
    let mut route = route.clone();
    if by.starts_with("path:") {
        route["limits"] = json!([limit("own", by)]);
    }
    let config = json!({ "default_plan": "p", "plans": { "p": { "limits": [limit("l", plan)] } }, "routes": [route] });
    Config::from_json(&config.to_string()).unwrap()
}

/// Returns the keys of the states that a request has besides that of the caller.
fn keys(by: &str, request: &str, fields: &[(&str, &str)], query: Option<&str>) -> Result<Vec<String>, Problem> {
    let config = config(by, &json!({ "match": "GET /users/:id/*", "cost": 1 }));
    let (method, path) = request.split_once(' ').unwrap();
    let address = "2001:db8:1:2:3::4".parse().ok();
    let facts = RequestFacts {
        method: method.into(),
        path: path.into(),
        address,
        api_key: None,
        token: None,
        identity_headers: Vec::new(),
    };
    let routed = RoutedRequest::new(&facts, &config, find_route(&facts, &config)?)?;
    let mut identified = routed.identify(Caller::Anonymous, Millis::from_secs(1))?;
    assert!(identified.needs_values());
    assert_eq!(identified.needs_place(), ["country", "asn"].contains(&by));
    let mut lines = String::new();
    for (name, value) in fields {
        push_field(&mut lines, name, value);
    }
    let place = Place { country: "CH", asn: "13335" };
    routed.partition(&mut identified, &RequestValues { fields: Fields::new(&lines), query, place })?;
    assert_eq!(identified.subject.as_str(), "ip:2001:db8:1:2::/64");
    let tag = format!("sg:1:{{{}}}", identified.subject.as_str());
    Ok(identified.subject.further().map(|owner| owner.state_key().replace(&tag, "…")).collect())
}

#[test]
fn each_kind_of_value_has_its_state() {
    let fields = [("x-user", "ada"), ("cookie", "a=1; session=s3cret")];
    for (by, expected) in [
        ("address", "…:by:address:2001%3Adb8%3A1%3A2%3A%3A/64"),
        ("header:x-user", "…:by:header:x-user:ada"),
        ("header:x-other", "…:by:header:x-other:"),
        ("query:user", "…:by:query:user:b%7Db"),
        ("query:x", "…:by:query:x:"),
        ("country", "…:by:country:CH"),
        ("asn", "…:by:asn:13335"),
        ("route", "…:by:route:GET%20/users/%3Aid/%2A"),
        ("everyone", "sg:1:{everyone}"),
    ] {
        let found = keys(by, "GET /users/7/keys", &fields, Some("user=b%7Db&user=c")).unwrap();
        assert_eq!(found, [expected], "{by}");
    }
    let session = keys("cookie:session", "GET /users/7", &fields, None).unwrap();
    assert!(session[0].starts_with("…:by:cookie:session:~") && !session[0].contains("s3cret"), "{session:?}");
    assert_eq!(keys("route", "GET /other", &fields, None).unwrap(), ["…:by:route:"], "no route");
}

#[test]
fn a_segment_of_the_path_is_counted_in_any_spelling() {
    for path in ["/users/Ada/keys", "//users/%61da", "/users/ada/x/y"] {
        let found = keys("path:id", &format!("GET {path}"), &[], None).unwrap();
        assert_eq!(found, ["…:by:address:2001%3Adb8%3A1%3A2%3A%3A/64", "…:by:path:id:ada"], "{path}");
    }
}

#[test]
fn an_ambiguous_segment_is_refused() {
    for path in ["/users/ada;x=1", "/users/ada%2Fx", "/users/ada."] {
        let problem = keys("path:id", &format!("GET {path}"), &[], None).unwrap_err();
        assert_eq!(problem, Problem::ambiguous_path(), "{path}");
        assert!(keys("route", &format!("GET {path}"), &[], None).is_ok(), "the route is certain: {path}");
    }
}

#[test]
fn hostile_values_stay_in_their_key() {
    let long = "é".repeat(50_000);
    for value in ["}{:by:everyone", "a:log:l", "\u{0}\u{7f}", "%7D", "\u{fffd}", long.as_str()] {
        let encoded = percent_encoding::percent_encode(value.as_bytes(), percent_encoding::NON_ALPHANUMERIC);
        for found in [
            keys("header:x-user", "GET /", &[("x-user", value)], None).unwrap(),
            keys("query:user", "GET /", &[], Some(&format!("user={encoded}"))).unwrap(),
        ] {
            let key = &found[0];
            assert!(key.len() < 250 && !key.contains(['{', '}', '\0']), "{key}");
            assert_eq!(key.matches(':').count(), 4, "{key}");
        }
    }
    let of = |value: &str| keys("query:user", "GET /", &[], Some(value)).unwrap();
    assert_ne!(of("user=%FF"), of("user=%FE"), "bytes that are not UTF-8");
    assert_eq!(of("user="), of(""), "no value is the empty value");
}
