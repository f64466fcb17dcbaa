//! The rules of the tree that a compiler does not hold. Each is written down in ARCHITECTURE.md.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluicegate::config::Config;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
    found
}

/// The top module of `src/` that a file belongs to.
fn module(path: &Path) -> String {
    let first = path.strip_prefix(root().join("src")).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules in the order of the list in the documentation of lib.rs.
fn order() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut order = Vec::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("//! ")) {
        let Some((number, rest)) = line.split_once(". ") else { continue };
        if number.parse::<usize>().is_ok() {
            // A line may name two: «[`headers`] and [`problem`] say …».
            let names = rest.split("[`").skip(1).filter_map(|part| part.split_once("`]"));
            order.extend(names.map(|(name, _)| name.to_owned()).filter(|name| !name.contains("::")));
        }
    }
    order
}

#[test]
fn a_module_uses_only_those_above_it() {
    let order = order();
    let place = |name: &str| order.iter().position(|known| known == name);
    let mut uses = 0;
    for (path, text) in sources(&root().join("src")) {
        let module = module(&path);
        if matches!(module.as_str(), "lib" | "edge") {
            continue;
        }
        let own = place(&module).unwrap_or_else(|| panic!("lib.rs does not list {module}"));
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for part in line.split("crate::").skip(1) {
                let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let target = place(&name).unwrap_or_else(|| panic!("{}: crate::{name}", path.display()));
                assert!(target <= own, "{}: {module} uses {name}, which stands below it", path.display());
                uses += 1;
            }
        }
    }
    assert!(uses > 20, "the test looks at the code");
}

#[test]
fn only_the_edge_names_the_workers_runtime() {
    for (path, text) in sources(&root().join("src")) {
        if module(&path) == "edge" {
            continue;
        }
        for name in ["worker::", "js_sys", "wasm_bindgen", "web_sys"] {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn only_the_configuration_and_the_replies_of_redis_are_deserialized() {
    let derive = ["Deserialize)]", "Deserialize, "];
    for (path, text) in sources(&root().join("src")) {
        if matches!(module(&path).as_str(), "config" | "redis") {
            continue;
        }
        assert!(!derive.iter().any(|derive| text.contains(derive)), "{} deserializes", path.display());
    }
}

#[test]
fn natively_the_workers_runtime_is_not_even_a_dependency() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            "sluicegate",
            "-e",
            "normal",
            "--features",
            "edge",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && tree.contains("serde_json v"), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["worker", "js-sys", "wasm-bindgen", "web-sys"] {
        assert!(!tree.lines().any(|line| line.starts_with(&format!("{name} v"))), "{name} in\n{tree}");
    }
}

#[test]
fn the_committed_configurations_are_valid() {
    for file in ["wrangler.toml", "wrangler.production.example.toml"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let wrangler: serde_json::Value = toml::from_str(&text).unwrap();
        Config::from_json(&wrangler["vars"]["SLUICEGATE"].to_string())
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(wrangler["vars"].get("UPSTASH_REDIS_REST_TOKEN").is_none(), "{file} has a secret in it");
    }
}

#[test]
fn every_script_is_known_and_explains_itself() {
    let mut files: Vec<String> = fs::read_dir(root().join("lua"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".lua").to_owned())
        .collect();
    files.sort();
    let mut known: Vec<String> = sluicegate::script::ALL.iter().map(|script| script.name.to_owned()).collect();
    known.sort();
    assert_eq!(files, known);
    for script in sluicegate::script::ALL {
        for part in ["-- KEYS[1", "-- ARGV", "-- returns", "-- example"] {
            assert!(script.source.lines().any(|line| line.starts_with(part)), "{}: no line {part}", script.name);
        }
        for forbidden in ["math.random", "'sg:", "\"sg:"] {
            let code = script.source.lines().filter(|line| !line.trim_start().starts_with("--"));
            assert!(!code.into_iter().any(|line| line.contains(forbidden)), "{}: {forbidden}", script.name);
        }
    }
}
