//! A request, and the patterns of a table of routes: a line `METHOD /path`, then a pattern on each line.
//!
//! A table finds what its routes find one by one, tried in order: so the radix trees and the interpretations of a path
//! agree. Equal spellings of a plain path lead to the same route.

use std::sync::Arc;

use sluicegate::config::routes::{Pattern, Route, RouteMatch, Routes};

use crate::input::Lines;

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let request = lines.text();
    let (method, path) = request.split_once(' ').unwrap_or(("GET", &request));
    let mut patterns = Vec::new();
    while lines.has_more() && patterns.len() < MOST_PATTERNS {
        let text = lines.text();
        match Pattern::new(&text) {
            Ok(pattern) => {
                assert_eq!(pattern.to_string(), text);
                patterns.push(pattern);
            }
            Err(problem) => assert!(problem.contains(&format!("{text:?}")), "{problem}"),
        }
    }
    let routes = patterns.iter().cloned().map(Route::new).collect();
    match Routes::new(routes) {
        Ok(table) => {
            assert_eq!(found(&table, method, path), one_by_one(&patterns, method, path), "{request} in {patterns:?}");
            assert_spelling_does_not_matter(&table, method, path);
        }
        Err(unreachable) => {
            assert!(unreachable.earlier < unreachable.later && unreachable.later < patterns.len());
            let both = [unreachable.earlier, unreachable.later].map(|place| patterns[place].clone());
            assert_eq!(Routes::new(both.map(Route::new).into()).map(drop).map_err(|both| both.later), Err(1));
        }
    }
}

/// What a table finds. Routes are named by their patterns.
#[derive(Debug, PartialEq)]
enum Found {
    Route(String),
    None,
    Ambiguous,
}

fn found(table: &Routes, method: &str, path: &str) -> Found {
    match table.find(method, path) {
        RouteMatch::Route(route) => Found::Route(Arc::clone(route).pattern.to_string()),
        RouteMatch::None => Found::None,
        RouteMatch::Ambiguous => Found::Ambiguous,
    }
}

/// Tries each pattern alone. The first that matches in some interpretations of the path, but not in all, makes it
/// ambiguous.
fn one_by_one(patterns: &[Pattern], method: &str, path: &str) -> Found {
    let tables =
        patterns.iter().map(|pattern| Routes::new(vec![Route::new(pattern.clone())]).expect("one is reachable"));
    tables.map(|table| found(&table, method, path)).find(|found| *found != Found::None).unwrap_or(Found::None)
}

fn assert_spelling_does_not_matter(table: &Routes, method: &str, path: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte);
    if !path.starts_with('/') || !path.bytes().all(plain) {
        return;
    }
    let expected = found(table, method, path);
    let encoded = path.bytes().map(|byte| if byte == b'/' { "/".to_owned() } else { format!("%{byte:02x}") });
    for spelling in [format!("{path}/"), path.replace('/', "//"), path.to_ascii_uppercase(), encoded.collect()] {
        assert_eq!(found(table, method, &spelling), expected, "{spelling}");
    }
}

/// The work is proportional to their number, and most mistakes need only two.
const MOST_PATTERNS: usize = 4;
