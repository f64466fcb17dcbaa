//! The examples in the documents are valid, and their links resolve.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sluicegate::config::Config;

use crate::document;
use crate::markdown::blocks;

/// Returns the paths of all documents, for operators and for developers.
fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_docs = fs::read_dir(root.join("docs")).unwrap();
    let in_docs = in_docs.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
    let in_docs = in_docs.map(|entry| entry.file_name().into_string().unwrap());
    let top = ["README.md", "ARCHITECTURE.md", "DESIGN.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned);
    in_docs.map(|name| format!("docs/{name}")).chain(top).collect()
}

/// Parses the configuration in a wrangler file or in a part of one, after adding the plans that it lacks. Returns
/// whether it has a configuration.
fn parse(toml: &str, source: &str) -> bool {
    let mut file: Value = toml::from_str(toml).unwrap_or_else(|error| panic!("{source}: {error}\n{toml}"));
    let Some(config) = file.pointer_mut("/vars/SLUICEGATE").and_then(Value::as_object_mut) else { return false };
    let plans = config.entry("plans").or_insert_with(|| json!({}));
    for name in ["anonymous", "pro"] {
        let limits = json!([{ "name": "plenty", "algorithm": "token_bucket", "limit": 1_000_000, "window": "1m" }]);
        plans.as_object_mut().unwrap().entry(name).or_insert_with(|| json!({ "limits": limits }));
    }
    config.entry("default_plan").or_insert_with(|| json!("anonymous"));
    let text = Value::Object(config.clone()).to_string();
    Config::from_json(&text).unwrap_or_else(|error| panic!("{source}: {error}\n{toml}"));
    true
}

#[test]
fn every_toml_example_is_a_valid_configuration() {
    let mut checked = 0;
    for path in documents() {
        for (_, block) in blocks(&document(&path), "toml") {
            checked += usize::from(parse(&block, &path));
        }
    }
    assert!(checked >= 4, "found too few examples: {checked}");
}

#[test]
fn every_json_example_is_json() {
    for path in documents() {
        for (_, block) in blocks(&document(&path), "json") {
            serde_json::from_str::<Value>(&block).unwrap_or_else(|error| panic!("{path}: {error}\n{block}"));
        }
    }
}

/// In the example of a configuration, a `#` followed by a space starts a comment; without the space, it disables a line.
#[test]
fn the_configuration_example_is_valid_with_and_without_options() {
    let text = document("sluicegate.example.toml");
    let enabled = enabled(&text);
    assert!(enabled != text.trim_end(), "the example has disabled lines");
    for text in [&text, &enabled] {
        let config: Value = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        Config::from_json(&config.to_string()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

/// Returns the text of an example with all disabled lines turned on.
fn enabled(text: &str) -> String {
    let enable = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
    text.lines().map(enable).collect::<Vec<_>>().join("\n")
}

/// In the deployment examples, a `#` followed by a space starts a comment; without the space, it disables a line.
#[test]
fn the_deployment_examples_have_every_binding() {
    for (name, configuration) in [
        ("wrangler.production.example.toml", "/vars/SLUICEGATE_FILE"),
        ("npm/template/wrangler.toml", "/vars/SLUICEGATE/default_plan"),
    ] {
        let text = document(name);
        let enabled = enabled(&text);
        assert!(enabled != text.trim_end(), "{name} has disabled lines");
        let enabled: Value = toml::from_str(&enabled).unwrap();
        for pointer in [
            "/assets/binding",
            "/triggers/crons",
            "/analytics_engine_datasets/0/binding",
            "/ratelimits/0/simple/period",
            "/services/0/binding",
            "/kv_namespaces/0/binding",
            "/build/command",
            configuration,
        ] {
            assert!(enabled.pointer(pointer).is_some(), "{name}: {pointer}");
        }
    }
}

/// Returns the anchor of a heading in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_resolve_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for path in documents() {
        // Code in backticks contains no links.
        let text = document(&path).split('`').step_by(2).collect::<String>();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) =
                target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
            let found = if file.is_empty() { root.join(&path) } else { root.join(&path).parent().unwrap().join(file) };
            assert!(found.exists(), "{path}: {target}");
            if let Some(heading) = heading {
                let text = fs::read_to_string(&found).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let known =
                    headings.map(|line| anchor(line.trim_start_matches('#').trim())).any(|known| known == heading);
                assert!(known, "{path}: {target}");
            }
            checked += 1;
        }
    }
    assert!(checked > 10, "found too few links: {checked}");
}

#[test]
fn paths_in_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["bench", "bridge", "cli", "devstack", "docs", "fuzz", "lua", "npm", "setup", "src", "tests", "www"];
    let mut checked = 0;
    for path in documents() {
        for code in document(&path).split('`').skip(1).step_by(2) {
            let first = code.split_once('/').map(|(folder, _)| folder);
            let is_path = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
            if is_path && first.is_some_and(|folder| folders.contains(&folder)) {
                assert!(root.join(code).exists(), "{path}: {code}");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "the test reads the paths: {checked}");
}
