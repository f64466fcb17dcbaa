//! Costs that a request or a response tells.
//!
//! The first line has the word `json`, `events` or `request`, and the length of the pieces in bytes. The second is `settle`
//! behind the name of a dialect, if it has one, or `cost` for a request. The rest is the body. However the body is cut into
//! pieces, it tells the same, and a request that is changed still is JSON, with one more member.

use std::sync::Arc;

use serde_json::Value;
use sluicegate::config::costs::{Dialect, RequestReading, Settle};
use sluicegate::http::Fields;
use sluicegate::http::usage::{Reported, Usage, UsageMeter, read_request};

use crate::input::{Lines, Words};

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let (first, expression) = (lines.text(), lines.text());
    let body = lines.rest();
    let mut words = Words::new(&first);
    let (kind, length) = (words.text(), words.number());
    let length = usize::try_from(length).unwrap_or(usize::MAX).max(1);
    match kind {
        "json" => response(&expression, "content-type\napplication/json\n", length, body),
        "events" => response(&expression, "content-type\ntext/event-stream\n", length, body),
        _ => request(&expression, body),
    }
}

fn response(expression: &str, fields: &str, length: usize, body: &[u8]) {
    let (dialect, text) = match expression.split_once(' ') {
        Some(("openai", text)) => (Some(Dialect::Openai), text),
        Some(("anthropic", text)) => (Some(Dialect::Anthropic), text),
        _ => (None, expression),
    };
    let mut settle = Settle::default();
    if settle.add(None, text, dialect).is_err() {
        return;
    }
    let settle = Arc::new(settle);
    let read = |length: usize, is_whole: bool| -> Usage {
        let mut meter = UsageMeter::new(&settle, Fields::new(fields));
        body.chunks(length).for_each(|piece| meter.feed(piece));
        meter.finish(is_whole)
    };
    for is_whole in [true, false] {
        assert_eq!(read(length, is_whole), read(usize::MAX, is_whole), "pieces of {length} bytes");
    }
    match (read(usize::MAX, true).reported[0], read(usize::MAX, false).reported[0]) {
        (Reported::AtLeast(units), _) => panic!("{units} of a whole body"),
        (Reported::Cost(cost), Reported::Cost(cut)) => assert_eq!(cost, cut),
        (Reported::Cost(cost), Reported::AtLeast(units)) => {
            assert!(units >= (body.len() as u64).div_ceil(4), "{units} of {} bytes, {cost} if whole", body.len());
        }
        _ => {}
    }
}

fn request(expression: &str, body: &[u8]) {
    let mut reading = RequestReading { include_usage: true, ..RequestReading::NOTHING };
    if reading.add_sources(expression).is_err() {
        return;
    }
    let Ok(read) = read_request(&reading, Fields::new("x-batch\n7\n"), Some(body)) else { return };
    assert!(read.cost.is_none_or(|cost| (1..=reading.most).contains(&cost)));
    let Some(changed) = read.body else { return };
    // The reader does not notice invalid UTF-8, and goes deeper than `serde_json`.
    let Ok(mut expected) = serde_json::from_slice::<Value>(body) else { return };
    if !expected["stream_options"].is_object() {
        expected["stream_options"] = Value::Object(serde_json::Map::new());
    }
    expected["stream_options"]["include_usage"] = Value::Bool(true);
    let found: Value = serde_json::from_slice(&changed).expect("it still is JSON");
    assert_eq!(found, expected);
    let again = read_request(&reading, Fields::new(""), Some(&changed)).expect("no key appears twice");
    assert_eq!(again.body, None, "once is enough");
}
