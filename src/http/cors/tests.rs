//! The fields that each kind of request gets.

use super::*;
use crate::config::{Preflight, SerializedOrigin};
use crate::http::push_field;

const APP: &str = "https://app.example";

fn any() -> Cors {
    Cors { origins: CorsOrigins::Any, credentials: false, preflight: Preflight::Forward }
}

fn listed(credentials: bool) -> Cors {
    let origins = [APP, "https://other.example"].map(|text| SerializedOrigin::new(text).unwrap());
    Cors { origins: CorsOrigins::Listed(origins.into()), credentials, preflight: Preflight::Answer }
}

fn lines(fields: &[(&str, &str)]) -> String {
    let mut lines = String::new();
    for (name, value) in fields {
        push_field(&mut lines, name, value);
    }
    lines
}

fn shown(fields: Vec<(&'static str, String)>) -> Vec<String> {
    fields.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn a_preflight_has_a_method_and_two_headers() {
    let preflight = [("origin", APP), ("access-control-request-method", "PUT")];
    assert_eq!(announced_method("OPTIONS", Fields::new(&lines(&preflight))), Some("PUT"));
    assert_eq!(announced_method("GET", Fields::new(&lines(&preflight))), None);
    assert_eq!(announced_method("OPTIONS", Fields::new(&lines(&preflight[..1]))), None);
    assert_eq!(announced_method("OPTIONS", Fields::new(&lines(&preflight[1..]))), None);
    let [origin, method] = preflight;
    for name in ["x-http-method", "x-http-method-override", "x-method-override"] {
        let overridden = [origin, method, (name, "POST")];
        assert_eq!(announced_method("OPTIONS", Fields::new(&lines(&overridden))), None, "the origin may see a POST");
    }
}

#[test]
fn listed_origins_may_read_our_responses() {
    let of = |cors: &Cors, origin: &str| shown(response_fields(cors, Fields::new(&lines(&[("origin", origin)]))));
    let exposed =
        "Access-Control-Expose-Headers: RateLimit, RateLimit-Policy, Retry-After, Retry-After-Ms, Server-Timing";
    assert_eq!(of(&listed(false), APP), ["Vary: Origin", "Access-Control-Allow-Origin: https://app.example", exposed]);
    let with_credentials = [
        "Vary: Origin",
        "Access-Control-Allow-Origin: https://app.example",
        "Access-Control-Allow-Credentials: true",
        exposed,
    ];
    assert_eq!(of(&listed(true), APP), with_credentials);
    for other in ["https://evil.example", "https://app.example.evil.example", "null", ""] {
        assert_eq!(of(&listed(true), other), ["Vary: Origin"], "{other}");
    }
    assert_eq!(of(&any(), "null"), ["Vary: Origin", "Access-Control-Allow-Origin: *", exposed]);
    assert_eq!(shown(response_fields(&listed(true), Fields::new(""))), ["Vary: Origin"]);
    // A repeated header arrives as one line, which is no origin.
    assert_eq!(of(&listed(true), "https://app.example, https://other.example"), ["Vary: Origin"]);
}

#[test]
fn a_preflight_is_answered_with_what_it_asks_for() {
    let of = |cors: &Cors, origin: &str, method: &str, headers: Option<&str>| {
        let mut request = vec![("origin", origin), ("access-control-request-method", method)];
        request.extend(headers.map(|headers| ("access-control-request-headers", headers)));
        shown(preflight_fields(cors, Fields::new(&lines(&request))))
    };
    let vary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    let allowed = [
        vary,
        "Access-Control-Allow-Origin: https://app.example",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Methods: PUT",
        "Access-Control-Allow-Headers: authorization, x-api-key",
        "Access-Control-Max-Age: 7200",
    ];
    assert_eq!(of(&listed(true), APP, "PUT", Some("authorization, x-api-key")), allowed);
    let plain =
        [vary, "Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET", "Access-Control-Max-Age: 7200"];
    assert_eq!(of(&any(), APP, "GET", None), plain);
    assert_eq!(of(&listed(true), "https://evil.example", "PUT", Some("x")), [vary]);
}

#[test]
fn only_names_within_bounds_are_sent_back() {
    let of = |method: &str, headers: &str| {
        let request =
            [("origin", APP), ("access-control-request-method", method), ("access-control-request-headers", headers)];
        let fields = preflight_fields(&any(), Fields::new(&lines(&request)));
        ["Access-Control-Allow-Methods", "Access-Control-Allow-Headers"]
            .map(|name| fields.iter().any(|(field, _)| *field == name))
    };
    assert_eq!(of("PATCH", "a,b , c"), [true, true]);
    assert_eq!(of("", ""), [false, false]);
    assert_eq!(of("PUT, DELETE", "a b"), [false, false]);
    assert_eq!(of("é", "a,é"), [false, false]);
    assert_eq!(of(&"A".repeat(33), &"a".repeat(4097)), [false, false]);
    assert_eq!(of(&"A".repeat(32), &"a".repeat(4096)), [true, true]);
}

#[test]
fn our_headers_are_exposed_where_the_origin_lets_pages_read() {
    let of = |allow_origin: &str, allow_credentials: &str, expose_headers: &str| {
        let fields = [
            ("access-control-allow-origin", allow_origin),
            ("access-control-allow-credentials", allow_credentials),
            ("access-control-expose-headers", expose_headers),
        ];
        let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        exposed_field(Fields::new(&lines(&fields))).map(|(_, value)| value).unwrap_or_default()
    };
    assert_eq!(of("*", "", ""), "RateLimit, RateLimit-Policy");
    assert_eq!(of(APP, "true", "X-Total, ratelimit"), "RateLimit-Policy");
    assert_eq!(of(APP, "", "RateLimit-Policy,RateLimit"), "");
    assert_eq!(of("*", "", "X-Total, *"), "");
    assert_eq!(of(APP, "true", "*"), "RateLimit, RateLimit-Policy", "with credentials, * is not a wildcard");
    assert_eq!(of("", "true", "X-Total"), "", "no page may read it");
}

#[test]
fn nothing_is_exposed_to_other_origins_or_on_a_preflight() {
    let may =
        |cors: &Cors, method: &str, fields: &[(&str, &str)]| may_expose(cors, method, Fields::new(&lines(fields)));
    assert!(may(&listed(false), "GET", &[("origin", APP)]) && may(&any(), "GET", &[("origin", "null")]));
    assert!(!may(&listed(false), "GET", &[("origin", "https://evil.example")]));
    assert!(!may(&any(), "GET", &[]));
    assert!(!may(&any(), "OPTIONS", &[("origin", APP), ("access-control-request-method", "GET")]));
}

proptest::proptest! {
    /// `listed(true)` sends back only an origin that is listed, and names.
    #[test]
    fn nothing_else_of_a_request_is_sent_back(values in proptest::array::uniform3("[^\n]{0,20}|https://app\\.example|[A-Z]{1,8}")) {
        let [origin, method, headers] = &values;
        let request = [
            ("origin", origin.as_str()),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ];
        let request = lines(&request);
        for (name, value) in preflight_fields(&listed(true), Fields::new(&request)) {
            let is_expected = match name {
                "Access-Control-Allow-Origin" => value == APP && origin == APP,
                "Access-Control-Allow-Methods" => is_header_name(&value),
                "Access-Control-Allow-Headers" => value.split(',').all(|name| is_header_name(name.trim())),
                _ => true,
            };
            proptest::prop_assert!(is_expected, "{name}: {value}");
        }
    }
}
