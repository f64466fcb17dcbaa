//! The text of the `RateLimit` headers, as the demo page reads it.
//!
//! What can be read can be written again, and is then read as the same.

use std::fmt::{Debug, Display};

use sluicegate::http::rate_limit::{format_limits, format_policy, parse_limits, parse_policy};

pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    assert_round_trips(&text, parse_policy, format_policy);
    assert_round_trips(&text, parse_limits, format_limits);
}

fn assert_round_trips<T: Debug + PartialEq, E: Debug + Display>(
    text: &str,
    parse: impl Fn(&str) -> Result<Vec<T>, E>,
    format: impl Fn(&[T]) -> String,
) {
    match parse(text) {
        Ok(items) => {
            let formatted = format(&items);
            assert_eq!(parse(&formatted).expect("what was formatted can be parsed"), items, "{formatted}");
        }
        Err(error) => assert!(error.to_string().starts_with("RateLimit"), "{error}"),
    }
}
