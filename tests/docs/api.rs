//! `docs/admin-api.md` lists exactly the paths, methods and problems of the API.

use std::collections::BTreeSet;

use serde_json::Value;
use sluicegate::admin::OPENAPI;

use crate::{document, quoted};

fn openapi() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// Returns the operations of the description, as `METHOD /path`.
fn operations(description: &Value) -> BTreeSet<String> {
    let paths = description["paths"].as_object().unwrap().iter();
    let methods = ["get", "put", "post", "patch", "delete"];
    paths
        .flat_map(|(path, operations)| {
            let known = methods.iter().filter(|method| operations.get(**method).is_some());
            known.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

#[test]
fn exactly_the_api_paths_and_methods_are_documented() {
    let text = document("docs/admin-api.md");
    let is_operation = |words: &String| {
        words.split_once(" /").is_some_and(|(method, _)| method.bytes().all(|byte| byte.is_ascii_uppercase()))
    };
    // Only rows that start with an operation count; requests elsewhere are examples.
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> = rows.filter_map(|row| quoted(row).into_iter().next()).filter(is_operation).collect();
    assert_eq!(documented, operations(&openapi()));
}

/// Returns the names after `urn:sluicegate:problem:` in a text.
fn problems(text: &str) -> BTreeSet<String> {
    let names = text.split("urn:sluicegate:problem:").skip(1);
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    names.map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn exactly_the_api_problems_are_documented() {
    let text = document("docs/admin-api.md");
    let table = text.split_once("\n## Problems\n").unwrap().1;
    let rows = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let documented: BTreeSet<_> = rows.skip(2).map(|row| quoted(row)[0].clone()).collect();
    assert_eq!(documented, problems(OPENAPI));
}

#[test]
fn every_client_problem_is_explained_to_operators() {
    let code = document("src/http/problem/client.rs") + &document("src/http/problem/token.rs");
    let text = document("docs/operations.md");
    for name in problems(&code) {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_logged_failure_is_explained() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edge");
    let text = document("docs/operations.md");
    let mut checked = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        let code = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for call in code.replace("log::redis_failure(", "log::failure(").split("log::failure(").skip(1) {
            let event = call.trim_start_matches("&format!(").trim_start_matches('"').split(['"', '{']).next().unwrap();
            let named =
                |row: &str| row.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{}", event.trim_end())));
            let named = text.lines().any(named);
            assert!(named, "{event}");
            checked += 1;
        }
    }
    assert!(checked > 10, "found too few calls of log::failure: {checked}");
}
