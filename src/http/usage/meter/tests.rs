//! What a response reports, by the rules of a route.

use super::*;

fn settle(rules: &[&str]) -> Arc<Settle> {
    let mut settle = Settle::default();
    for rule in rules {
        settle.add(None, rule, None).unwrap();
    }
    Arc::new(settle)
}

fn usage(rules: &[&str], headers: &str, body: &str, is_whole: bool) -> Usage {
    let mut meter = UsageMeter::new(&settle(rules), Fields::new(headers));
    for piece in body.as_bytes().chunks(7) {
        meter.feed(piece);
    }
    meter.finish(is_whole)
}

fn reported(rule: &str, headers: &str, body: &str, is_whole: bool) -> Reported {
    usage(&[rule], headers, body, is_whole).reported[0]
}

const STREAM: &str = "content-type\ntext/event-stream; charset=utf-8\n";
const JSON: &str = "content-type\napplication/json\n";

#[test]
fn the_media_type_decides_the_format() {
    let both = "json:/a | sse:/b";
    assert_eq!(reported(both, JSON, r#"{"a":1,"b":2}"#, true), Reported::Cost(1));
    assert_eq!(reported(both, "", r#"{"a":1,"b":2}"#, true), Reported::Cost(1));
    assert_eq!(reported(both, STREAM, "data: {\"a\":1,\"b\":2}\n\n", true), Reported::Cost(2));
    let upper = "content-type\nText/Event-Stream\n";
    assert_eq!(reported(both, upper, "data: {\"b\":2}\n\n", true), Reported::Cost(2));
}

#[test]
fn the_first_alternative_that_has_a_cost_counts() {
    let rule = "header:x-a | json:/a | header:x-b";
    for (headers, body, expected) in [
        ("x-a\n1\nx-b\n3\n", r#"{"a":2}"#, Reported::Cost(1)),
        ("x-b\n3\n", r#"{"a":2}"#, Reported::Cost(2)),
        ("x-b\n3\n", "{}", Reported::Cost(3)),
        ("x-a\nnone\nx-b\n 3 \n", r#"{"a":null}"#, Reported::Cost(3)),
        ("", "{}", Reported::Nothing),
    ] {
        assert_eq!(reported(rule, headers, body, true), expected, "{headers:?}");
    }
}

#[test]
fn a_body_is_read_only_if_it_matters() {
    let reads = |rule: &str, headers: &str| UsageMeter::new(&settle(&[rule]), Fields::new(headers)).reads_body();
    assert!(!reads("x-a", ""));
    assert!(reads("json:/a", JSON) && !reads("json:/a", STREAM) && reads("sse:/a", STREAM));
    assert!(!reads("x-a | json:/a", "x-a\n1\n") && reads("x-a | json:/a", "x-a\nx\n"));
    assert!(!reads("json:/a", "content-encoding\ngzip\n") && reads("json:/a", "content-encoding\nIdentity\n"));
}

#[test]
fn a_cut_body_costs_a_quarter_of_its_bytes_at_least() {
    let body = r#"{"text":"0123456789","a":2"#;
    assert_eq!(body.len(), 26);
    assert_eq!(reported("json:/a", JSON, body, false), Reported::AtLeast(7));
    assert_eq!(reported("json:/a", JSON, "", false), Reported::AtLeast(0));
    // What is known so far counts, if it is more.
    assert_eq!(reported("sse:/a", STREAM, "data: {\"a\":500}\n\n", false), Reported::AtLeast(500));
    assert_eq!(reported("sse:/a", STREAM, "data: {\"a\":1}\n\n", false), Reported::AtLeast(4));
}

#[test]
fn a_body_that_was_read_to_its_end_is_not_cut() {
    // The client has left, but it has had everything.
    assert_eq!(reported("json:/a", JSON, r#"{"text":"0123456789","a":2}"#, false), Reported::Cost(2));
    let done = "data: {\"a\":1}\n\ndata: [DONE]\n\n";
    assert_eq!(reported("sse:/a", STREAM, done, false), Reported::Cost(1));
    assert_eq!(reported("sse:/a", STREAM, "data: {}\n\ndata: [DONE]\n\n", false), Reported::Nothing);
}

#[test]
fn a_header_is_exact_even_if_the_body_is_cut() {
    let found = usage(&["x-a", "json:/a"], "x-a\n3\n", "{\"a\":12345678901234567890", false);
    assert_eq!(found.reported, [Reported::Cost(3), Reported::AtLeast(7)]);
}

#[test]
fn the_problem_says_why_nothing_is_reported() {
    let problem = |headers: &str, body: &str| usage(&["json:/a | sse:/a"], headers, body, true).problem.unwrap();
    assert_eq!(problem(JSON, "{}"), "the body does not have the cost where `settle` looks for it");
    assert_eq!(problem(STREAM, ""), "no event of the stream has the cost where `settle` looks for it");
    let encoded = format!("{JSON}content-encoding\nbr\n");
    assert_eq!(
        problem(&encoded, r#"{"a":1}"#),
        "the body is encoded as \"br\", although it was asked for without encoding"
    );
    assert_eq!(usage(&["json:/a"], JSON, r#"{"a":1}"#, true).problem, None);
    assert_eq!(usage(&["x-a"], "", "", true).problem, None, "a missing header is not a problem");
}
