//! Valid limits, and the messages about invalid ones.

use serde_json::{Value, json};

use super::*;
use crate::config::config::Config;

/// Parses a configuration with this one limit.
fn limit(limit: &Value) -> Result<Limit, String> {
    let config = json!({ "default_plan": "anonymous", "plans": { "anonymous": { "limits": [limit] } } });
    let config = Config::from_json(&config.to_string()).map_err(|error| error.to_string())?;
    Ok(config.default_plan.limits()[0].clone())
}

#[test]
fn every_algorithm_is_read() {
    let name = || LimitName::new("l").unwrap();
    let minute = Millis::from_secs(60);
    for (fields, expected) in [
        (json!({ "algorithm": "sliding_log", "window": "1m" }), Limit::sliding_log(name(), 5, minute)),
        (json!({ "algorithm": "sliding_window", "window": "60s" }), Limit::sliding_window(name(), 5, minute)),
        (json!({ "algorithm": "token_bucket", "window": "1m" }), Limit::token_bucket(name(), 5, minute, None)),
        (
            json!({ "algorithm": "token_bucket", "window": "1m", "burst": 9 }),
            Limit::token_bucket(name(), 5, minute, Some(9)),
        ),
        (json!({ "algorithm": "concurrency", "lease": "1m" }), Limit::concurrency(name(), 5, minute)),
    ] {
        let mut object = json!({ "name": "l", "limit": 5 });
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(limit(&object), Ok(expected.unwrap()));
    }
}

#[test]
fn a_limit_may_count_requests() {
    let limit =
        limit(&json!({ "name": "l", "algorithm": "sliding_log", "limit": 5, "window": "1s", "counts": "requests" }));
    assert_eq!((limit.clone().unwrap().charge_for(1000), limit.unwrap().charge_for(0)), (1, 0));
}

#[test]
fn a_fixed_window_follows_the_clock_or_the_calendar() {
    for (window, expected) in [
        ("90s", Window::Span(Millis::from_secs(90))),
        ("minute", Window::Span(Millis::from_secs(60))),
        ("hour", Window::Span(Millis::from_secs(3600))),
        ("day", Window::Span(Millis::from_secs(86_400))),
        ("month", Window::Month),
    ] {
        let read = limit(&json!({ "name": "l", "algorithm": "fixed_window", "limit": 5, "window": window }));
        assert_eq!(read, Ok(Limit::fixed_window(LimitName::new("l").unwrap(), 5, expected).unwrap()));
    }
}

#[test]
fn each_algorithm_has_its_own_fields() {
    for (fields, problem) in [
        (json!({ "algorithm": "sliding_log" }), "window: is missing (a sliding_log needs one)"),
        (json!({ "algorithm": "fixed_window" }), "window: is missing (a fixed_window needs one)"),
        (json!({ "algorithm": "concurrency" }), "lease: is missing (a concurrency limit needs one)"),
        (
            json!({ "algorithm": "concurrency", "lease": "1s", "window": "1s" }),
            "window: a concurrency limit has none (it has a lease)",
        ),
        (
            json!({ "algorithm": "concurrency", "lease": "1s", "burst": 1 }),
            "burst: a concurrency limit has none (a token_bucket has)",
        ),
        (json!({ "algorithm": "concurrency", "lease": "0s" }), "lease: expected 1ms to 3650d, found 0ms"),
        (
            json!({ "algorithm": "concurrency", "lease": "month" }),
            "lease: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"month\"",
        ),
        (
            json!({ "algorithm": "concurrency", "lease": null }),
            "lease: invalid type: null, expected a duration like \"10s\"",
        ),
        (
            json!({ "algorithm": "token_bucket", "window": "1s", "lease": "1s" }),
            "lease: a token_bucket has none (a concurrency limit has)",
        ),
        (
            json!({ "algorithm": "fixed_window", "window": "1s", "burst": 1 }),
            "burst: a fixed_window has none (a token_bucket has)",
        ),
        (
            json!({ "algorithm": "sliding_window", "window": "1s", "burst": 1 }),
            "burst: a sliding_window has none (a token_bucket has)",
        ),
        (
            json!({ "algorithm": "token_bucket", "window": "month" }),
            "window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"month\" \
             (only a fixed_window follows the calendar)",
        ),
        (
            json!({ "algorithm": "fixed_window", "window": "year" }),
            "window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"year\" \
             (or one of minute, hour, day, month)",
        ),
        (json!({ "algorithm": "fixed_window", "window": "3651d" }), "window: expected 1ms to 3650d, found 3651d"),
        (
            json!({ "algorithm": "sliding_window", "window": "3650d", "limit": 28562 }),
            "limit: 28562 units times 3650d are 9007312320000000, more than 2^53 \
             (choose a smaller limit, a shorter window, or another algorithm)",
        ),
    ] {
        let mut object = json!({ "name": "l", "limit": 5 });
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(limit(&object), Err(format!("plans.anonymous.limits[0].{problem}")));
    }
}
