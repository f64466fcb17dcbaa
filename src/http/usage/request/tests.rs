//! Costs of requests, and bodies that ask for their usage.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn reading(cost: &str) -> RequestReading {
    let mut reading = RequestReading::NOTHING;
    reading.add_sources(cost).unwrap();
    reading
}

fn cost(expression: &str, headers: &str, body: Option<&str>) -> Option<u64> {
    let read = read_request(&reading(expression), Fields::new(headers), body.map(str::as_bytes));
    read.unwrap().cost
}

#[test]
fn the_first_source_that_is_there_counts() {
    let expression = "json:/max_completion_tokens | json:/max_tokens | header:x-batch | 1000";
    for (headers, body, expected) in [
        ("", Some(r#"{"max_tokens":7}"#), Some(7)),
        ("", Some(r#"{"max_tokens":7,"max_completion_tokens":8}"#), Some(8)),
        ("x-batch\n5\n", Some(r#"{"max_tokens":null,"max_completion_tokens":"8"}"#), Some(5)),
        ("x-batch\n5\n", Some("max_tokens=7"), Some(5)),
        ("x-batch\n5\n", None, Some(5)),
        ("x-batch\nmany\n", Some(""), None),
        ("", Some(r#"{"max_tokens":-7}"#), None),
        ("", Some(r#"{"max_tokens":[7]}"#), None),
        ("", Some(r#"{"max_tokens":7.2}"#), Some(8)),
        ("", Some(r#"{"max_tokens":1e2}"#), Some(100)),
        ("", Some(r#"{"max_tokens":0}"#), Some(1)),
    ] {
        assert_eq!(cost(expression, headers, body), expected, "{headers:?} {body:?}");
    }
}

#[test]
fn a_cost_is_bounded() {
    let bounded = RequestReading { most: 50, ..reading("json:/max_tokens | 1") };
    let read = |body: &str| read_request(&bounded, Fields::new(""), Some(body.as_bytes())).unwrap().cost;
    assert_eq!((read(r#"{"max_tokens":128000}"#), read(r#"{"max_tokens":1e99}"#)), (Some(50), Some(50)));
    assert_eq!(read(r#"{"max_tokens":49}"#), Some(49));
}

#[test]
fn a_duplicate_key_is_refused() {
    for body in [r#"{"max_tokens":1,"max_tokens":100000}"#, r#"{"a":{"b":1,"\u0062":2},"max_tokens":1}"#] {
        let problem =
            read_request(&reading("json:/max_tokens | 1"), Fields::new(""), Some(body.as_bytes())).unwrap_err();
        assert_eq!((problem.status, problem.name()), (400, "duplicate-key"), "{body}");
    }
}

#[test]
fn a_body_that_hides_a_duplicate_key_tells_nothing() {
    let deep = format!(r#"{{"x":{}{},"max_tokens":100000,"max_tokens":1}}"#, "[".repeat(200), "]".repeat(200));
    for body in [r#"{"x":1e999,"max_tokens":100000,"max_tokens":1}"#, deep.as_str()] {
        assert_eq!(cost("json:/max_tokens | 1000", "", Some(body)), None, "{body}");
    }
}

#[test]
fn only_a_short_and_plain_body_is_read() {
    let json = RequestReading { bytes: 100, ..reading("json:/max_tokens | 1") };
    for (headers, expected) in [
        ("", Some(100)),
        ("content-length\n100\n", Some(100)),
        ("content-encoding\nidentity\n", Some(100)),
        ("content-length\n101\n", None),
        ("content-length\n-1\n", None),
        ("content-encoding\ngzip\n", None),
    ] {
        assert_eq!(body_to_read(&json, "POST", Fields::new(headers)), expected, "{headers:?}");
    }
    assert_eq!(body_to_read(&reading("header:x | 1"), "POST", Fields::new("")), None);
    for method in ["GET", "HEAD"] {
        assert_eq!(body_to_read(&json, method, Fields::new("content-length\n7\n")), None, "it passes as it is");
    }
    assert_eq!(body_to_read(&json, "DELETE", Fields::new("content-length\n7\n")), Some(100));
}

fn edited(body: &str) -> Option<String> {
    let reading = RequestReading { include_usage: true, ..RequestReading::NOTHING };
    let read = read_request(&reading, Fields::new(""), Some(body.as_bytes())).unwrap();
    read.body.map(|body| String::from_utf8(body).unwrap())
}

#[test]
fn a_stream_asks_for_its_usage() {
    for (body, expected) in [
        (r#"{"stream":true}"#, r#"{"stream_options":{"include_usage":true},"stream":true}"#),
        ("\n { \"stream\" : true }\n", "\n {\"stream_options\":{\"include_usage\":true}, \"stream\" : true }\n"),
        (r#"{"stream_options": null ,"stream":true}"#, r#"{"stream_options": {"include_usage":true} ,"stream":true}"#),
        (r#"{"stream":true,"stream_options":{ }}"#, r#"{"stream":true,"stream_options":{"include_usage":true }}"#),
        (
            r#"{"stream":true,"stream_options":{"x":1}}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true,"x":1}}"#,
        ),
        (
            r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream":true,"stream_options":{"include_usage":{"a":[]} }}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true }}"#,
        ),
    ] {
        assert_eq!(edited(body).as_deref(), Some(expected));
        assert_eq!(edited(expected), None, "once is enough");
    }
}

#[test]
fn other_requests_stay_as_they_are() {
    for body in [
        "",
        "{}",
        "[true]",
        "true",
        r#"{"stream":false}"#,
        r#"{"stream":"true"}"#,
        r#"{"stream":1}"#,
        r#"{"x":{"stream":true}}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"stream":true,"stream_options":7}"#,
        r#"{"stream":true"#,
        "stream=true",
    ] {
        assert_eq!(edited(body), None, "{body}");
    }
}

proptest! {
    #[test]
    fn the_rest_of_the_body_stays(
        members in prop::collection::btree_map("[a-z]{1,3}", any::<String>(), 0..4),
        options in prop::option::of(prop::collection::btree_map("[a-z]{1,3}", any::<i32>(), 0..3)),
        pretty in any::<bool>(),
    ) {
        let mut request = json!(members);
        request["stream"] = json!(true);
        if let Some(options) = &options {
            request["stream_options"] = json!(options);
        }
        let body = if pretty { serde_json::to_string_pretty(&request).unwrap() } else { request.to_string() };
        let found: Value = serde_json::from_str(&edited(&body).unwrap()).unwrap();
        if options.is_none() {
            request["stream_options"] = json!({});
        }
        request["stream_options"]["include_usage"] = json!(true);
        prop_assert_eq!(found, request);
    }

    #[test]
    fn any_body_is_read_without_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let reading = RequestReading { include_usage: true, ..reading("json:/a | 1") };
        let _ = read_request(&reading, Fields::new(""), Some(&body));
    }
}
