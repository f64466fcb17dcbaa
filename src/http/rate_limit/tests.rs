//! Header fields, formatted and parsed back.

use proptest::prelude::*;

use super::*;
use crate::limit::{LimitName, Window};

fn budget(name: &str, retry: Retry) -> Budget {
    let name = LimitName::new(name).unwrap();
    let limit = Limit::token_bucket(name, 50, Millis::new(1500), Some(100)).unwrap();
    Budget { limit, remaining: 7, retry, reset: Millis::new(2001) }
}

#[test]
fn an_allowed_response_has_policy_and_budget() {
    let verdict = Verdict::Allow(vec![budget("burst", Retry::Now), budget("day", Retry::Now)]);
    assert_eq!(
        fields(&verdict, false),
        [
            ("RateLimit-Policy", r#""burst";q=50;w=2;burst=100, "day";q=50;w=2;burst=100"#.to_owned()),
            ("RateLimit", r#""burst";r=7;t=3, "day";r=7;t=3"#.to_owned()),
        ]
    );
}

#[test]
fn a_policy_has_its_window_if_it_is_fixed() {
    let name = |text| LimitName::new(text).unwrap();
    let limits = [
        Limit::fixed_window(name("day"), 100, Window::Span(Millis::from_secs(86_400))),
        Limit::fixed_window(name("month"), 1000, Window::Month),
        Limit::concurrency(name("inflight"), 5, Millis::from_secs(30)),
        Limit::sliding_window(name("about"), 9, Millis::from_secs(60)),
    ];
    let items: Vec<_> = limits.into_iter().map(|limit| policy_item(&limit.unwrap())).collect();
    assert_eq!(
        format_policy(&items),
        r#""day";q=100;w=86400, "month";q=1000, "inflight";q=5;qu="concurrent-requests", "about";q=9;w=60"#
    );
}

#[test]
fn no_t_is_later_than_retry_after() {
    let after = Retry::After(Millis::new(1001));
    let verdict = Verdict::Deny(vec![budget("a", after), budget("b", Retry::Now)]);
    let fields = fields(&verdict, false);
    assert_eq!(fields[1], ("RateLimit", r#""a";r=7;t=2, "b";r=7"#.to_owned()));
    assert_eq!(fields[2..], [("Retry-After", "2".to_owned()), ("Retry-After-Ms", "1001".to_owned())]);
}

#[test]
fn a_shadow_is_marked_and_has_no_retry_after() {
    let verdict = Verdict::Deny(vec![budget("a", Retry::After(Millis::new(1001)))]);
    let expected = [
        ("RateLimit-Policy", r#""a";q=50;w=2;burst=100;shadow"#.to_owned()),
        ("RateLimit", r#""a";r=7;t=2"#.to_owned()),
    ];
    assert_eq!(fields(&verdict, true), expected);
}

#[test]
fn a_request_that_can_never_pass_has_no_retry_after() {
    let verdict = Verdict::Deny(vec![budget("a", Retry::Never)]);
    assert!(fields(&verdict, false).iter().all(|(name, _)| !name.starts_with("Retry-After")));
}

#[test]
fn numbers_beyond_structured_fields_are_capped() {
    let item = LimitItem { name: "x".into(), remaining: u64::MAX, reset: None };
    assert_eq!(format_limits(&[item]), r#""x";r=999999999999999"#);
}

#[test]
fn errors_name_the_field() {
    for (value, problem) in [
        (r#""a";r=1, b;r=2"#, "RateLimit: an item is not a string"),
        (r#""a";t=2"#, "RateLimit: an item has no r"),
        (r#""a";r=-1"#, "RateLimit: r of \"a\" is below 0"),
        (r#""a";r=1.5"#, "RateLimit: r of \"a\" is not an integer"),
    ] {
        assert_eq!(parse_limits(value).unwrap_err().to_string(), problem);
    }
    assert_eq!(
        parse_policy(r#""a";q=1;qu=2"#).unwrap_err().to_string(),
        "RateLimit-Policy: qu of \"a\" is not a string"
    );
    assert!(parse_policy("limit=100").unwrap_err().to_string().starts_with("RateLimit-Policy: "));
}

#[test]
fn unknown_parameters_are_ignored() {
    let items = parse_policy(r#""a";q=1;qu="requests";pk=:cGs=:;w=60"#).unwrap();
    let unit = Some("requests".to_owned());
    assert_eq!(items, [PolicyItem { name: "a".into(), quota: 1, unit, window: Some(60), burst: None, shadow: false }]);
}

fn sf_integer() -> impl Strategy<Value = u64> {
    0..=999_999_999_999_999_u64
}

proptest! {
    #[test]
    fn policies_parse_back(items in prop::collection::vec(
        (
            "[ -~]{0,20}", sf_integer(), prop::option::of("[ -~]{0,20}"),
            prop::option::of(sf_integer()), prop::option::of(sf_integer()), any::<bool>()
        ), 0..5)
    ) {
        let items: Vec<_> = items.into_iter()
            .map(|(name, quota, unit, window, burst, shadow)| PolicyItem { name, quota, unit, window, burst, shadow })
            .collect();
        prop_assert_eq!(parse_policy(&format_policy(&items)), Ok(items));
    }

    #[test]
    fn limits_parse_back(items in prop::collection::vec(
        ("[ -~]{0,20}", sf_integer(), prop::option::of(sf_integer())), 0..5)
    ) {
        let items: Vec<_> = items.into_iter()
            .map(|(name, remaining, reset)| LimitItem { name, remaining, reset }).collect();
        prop_assert_eq!(parse_limits(&format_limits(&items)), Ok(items));
    }

    #[test]
    fn no_field_makes_it_panic(value in "\\PC{0,60}") {
        let _ = parse_policy(&value);
        let _ = parse_limits(&value);
    }
}
