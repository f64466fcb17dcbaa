//! Real costs: what responses of well-known APIs report, however their bodies are cut into pieces.
//!
//! The bodies in `tests/vectors/llm/` are written by hand from the public API references.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::config::Config;
use sluicegate::config::costs::Settle;
use sluicegate::config::routes::RouteMatch;
use sluicegate::http::Fields;
use sluicegate::http::usage::{Reported, Usage, UsageMeter};

fn body(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/llm").join(name)).unwrap()
}

/// Returns the settlement of a route with these fields and the limits `in` and `out`.
fn settle(fields: &Value) -> Arc<Settle> {
    let limit = |name: &str| json!({ "name": name, "algorithm": "fixed_window", "limit": 100_000, "window": "1m" });
    let mut route = json!({ "match": "POST /v1/chat", "cost": 1000, "limits": [limit("in"), limit("out")] });
    route.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let config = json!({ "default_plan": "p", "plans": { "p": { "limits": [limit("all")] } }, "routes": [route] });
    let config = Config::from_json(&config.to_string()).unwrap();
    let RouteMatch::Route(route) = config.routes.find("POST", "/v1/chat") else { panic!("no route") };
    Arc::clone(route.settle.as_ref().unwrap())
}

/// Reads a body in pieces of these lengths, and the rest in one.
fn read(settle: &Arc<Settle>, name: &str, mut body: &[u8], pieces: &[usize], is_whole: bool) -> Usage {
    let is_stream = Path::new(name).extension().is_some_and(|extension| extension == "sse");
    let media_type = if is_stream { "text/event-stream; charset=utf-8" } else { "application/json" };
    let mut meter = UsageMeter::new(settle, Fields::new(&format!("content-type\n{media_type}\n")));
    for piece in pieces {
        let (part, rest) = body.split_at((*piece).min(body.len()));
        meter.feed(part);
        body = rest;
    }
    meter.feed(body);
    meter.finish(is_whole)
}

fn dialect(name: &str) -> &str {
    name.split('-').next().unwrap()
}

/// Each body with the cost of all its tokens, and of input and output apart.
const COSTS: [(&str, u64, u64, u64); 9] = [
    ("openai-chat.json", 29, 19, 10),
    ("openai-tool-calls.json", 99, 82, 17),
    ("openai-embedding.json", 8, 8, 0),
    ("openai-response.json", 123, 36, 87),
    ("openai-stream-with-usage.sse", 31, 19, 12),
    ("openai-response-stream.sse", 48, 37, 11),
    ("anthropic-message.json", 4853, 2095, 503),
    ("anthropic-stream.sse", 47, 25, 15),
    // A stream that ends with an error tells what it has told until then.
    ("anthropic-error.sse", 26, 25, 1),
];

/// The bodies without a cost.
const SILENT: [&str; 2] = ["openai-error.json", "openai-stream-without-usage.sse"];

#[test]
fn every_body_is_in_a_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/llm");
    let mut found: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut listed: Vec<_> =
        COSTS.iter().map(|(name, ..)| (*name).to_owned()).chain(SILENT.map(str::to_owned)).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

#[test]
fn a_dialect_knows_where_the_tokens_stand() {
    for (name, all, input, output) in COSTS {
        let dialect = dialect(name);
        let reported = |fields: Value| read(&settle(&fields), name, &body(name), &[], true).reported;
        assert_eq!(reported(json!({ "settle_dialect": dialect })), [Reported::Cost(all)], "{name}");
        let weighted = reported(json!({ "settle_dialect": dialect, "settle": "0.5*input + 4*output" }));
        assert_eq!(weighted, [Reported::Cost(input.div_ceil(2) + 4 * output)], "{name}");
        let apart = reported(json!({ "settle_dialect": dialect, "settle": { "in": "input", "out": "output" } }));
        let output = if output > 0 { Reported::Cost(output) } else { Reported::Nothing };
        assert_eq!(apart, [Reported::Cost(input), output], "{name}");
    }
    for name in SILENT {
        let usage = read(&settle(&json!({ "settle_dialect": dialect(name) })), name, &body(name), &[], true);
        assert_eq!(usage.reported, [Reported::Nothing], "{name}");
        assert!(usage.problem.is_some(), "{name}");
    }
}

#[test]
fn an_expression_does_what_a_dialect_does() {
    for (name, expression, cost) in [
        ("openai-chat.json", "json:/usage/total_tokens", 29),
        ("openai-chat.json", "json:/usage/prompt_tokens + 4*/usage/completion_tokens", 59),
        ("openai-stream-with-usage.sse", "json:/usage/total_tokens | sse:/usage/total_tokens", 31),
        ("anthropic-stream.sse", "sse:/message/usage/input_tokens + /usage/output_tokens", 40),
    ] {
        let usage = read(&settle(&json!({ "settle": expression })), name, &body(name), &[], true);
        assert_eq!(usage.reported, [Reported::Cost(cost)], "{name}: {expression}");
    }
}

/// Wherever a body is cut, its cost is exact or at least a quarter of the bytes that were sent.
#[test]
fn no_cut_is_cheaper_than_what_was_sent() {
    for (name, all, ..) in COSTS {
        let (settle, body) = (settle(&json!({ "settle_dialect": dialect(name) })), body(name));
        let mut exact = 0;
        for end in 0..=body.len() {
            match read(&settle, name, &body[..end], &[], false).reported[0] {
                Reported::AtLeast(units) => assert!(units >= (end as u64).div_ceil(4), "{name} cut at {end}"),
                Reported::Cost(cost) => {
                    assert_eq!(cost, all, "{name} cut at {end}");
                    exact += 1;
                }
                Reported::Nothing => panic!("{name} cut at {end}"),
            }
        }
        // A document is whole after its last brace, a stream after its last event; the error of a stream ends none.
        assert!(exact <= 2 && (exact > 0 || name == "anthropic-error.sse"), "{name}: {exact}");
    }
}

proptest! {
    #[test]
    fn pieces_of_any_length_report_the_same(
        which in 0..COSTS.len(),
        pieces in prop::collection::vec(0..300_usize, 0..60),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let name = COSTS[which].0;
        let (settle, whole) = (settle(&json!({ "settle_dialect": dialect(name) })), body(name));
        let end = cut.map_or(whole.len(), |cut| cut.index(whole.len() + 1));
        let part = &whole[..end];
        let at_once = read(&settle, name, part, &[], cut.is_none());
        prop_assert_eq!(&read(&settle, name, part, &pieces, cut.is_none()), &at_once);
        prop_assert_eq!(read(&settle, name, part, &vec![1; part.len()], cut.is_none()), at_once);
    }
}
