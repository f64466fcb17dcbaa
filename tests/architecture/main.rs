//! The rules of the tree that a compiler does not hold. Each is written down in ARCHITECTURE.md.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod imports;

use std::fs;
use std::path::Path;
use std::process::Command;

use imports::{Imports, module_of, rust_files};
use sluicegate::config::Config;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms of `src/` in the order of the list in the documentation of lib.rs.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let entries = lib.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(". "));
    let numbered = entries.filter(|(number, _)| number.parse::<usize>().is_ok());
    numbered.map(|(_, rest)| rest.split('`').nth(1).unwrap().trim_end_matches("::").to_owned()).collect()
}

#[test]
fn lib_lists_every_room() {
    let mut listed = rooms();
    let mut found: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap() != "lib.rs")
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(listed, found);
}

#[test]
fn a_room_uses_only_rooms_above_it() {
    let rooms = rooms();
    let place = |room: &str| rooms.iter().position(|known| known == room).unwrap_or_else(|| panic!("no room {room}"));
    let imports = Imports::of_crate(&root().join("src"));
    let mut between_rooms = 0;
    for (from, to) in imports.pairs() {
        let (Some(room), Some(target)) = (from.first(), to.first()) else { continue };
        assert!(place(target) <= place(room), "{} uses {target}, a room below it", imports.file(from).display());
        between_rooms += usize::from(room != target);
    }
    assert!(between_rooms > 100, "the test reads the imports");
}

#[test]
fn no_file_imports_itself_through_others() {
    for folder in
        ["src", "bridge/src", "cli/src", "devstack/src", "bench/src", "fuzz/src", "npm/src", "validate/src", "www/src"]
    {
        let imports = Imports::of_crate(&root().join(folder));
        if let Some(cycle) = imports.cycle() {
            panic!("{folder} has a cycle: {cycle:#?}");
        }
    }
}

/// The files of `src/` outside these rooms, with their text.
fn files_outside(rooms: &[&str]) -> Vec<(String, String)> {
    let src = root().join("src");
    let outside = rust_files(&src)
        .into_iter()
        .filter(|path| module_of(&src, path).first().is_none_or(|room| !rooms.contains(&room.as_str())));
    outside.map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn only_the_edge_names_the_workers_runtime() {
    for (path, text) in files_outside(&["edge"]) {
        for name in ["worker::", "js_sys", "wasm_bindgen", "web_sys"] {
            assert!(!text.contains(name), "{path} names {name}");
        }
    }
}

#[test]
fn only_configuration_and_redis_replies_are_deserialized() {
    for (path, text) in files_outside(&["config", "redis"]) {
        for derive in ["Deserialize)]", "Deserialize, "] {
            assert!(!text.contains(derive), "{path} deserializes");
        }
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
    let read = |file: &str| -> serde_json::Value {
        toml::from_str(&fs::read_to_string(root().join(file)).unwrap())
            .unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    for file in ["wrangler.toml", "wrangler.production.example.toml", "npm/template/wrangler.toml"] {
        let wrangler = read(file);
        let config = match wrangler["vars"]["SLUICEGATE_FILE"].as_str() {
            Some(file) => read(file),
            None => wrangler["vars"]["SLUICEGATE"].clone(),
        };
        Config::from_json(&config.to_string()).unwrap_or_else(|error| panic!("{file}: {error}"));
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
    let mut known: Vec<String> = sluicegate::redis::script::ALL.iter().map(|script| script.name.to_owned()).collect();
    known.sort();
    assert_eq!(files, known);
    for script in sluicegate::redis::script::ALL {
        let file = fs::read_to_string(root().join("lua").join(format!("{}.lua", script.name))).unwrap();
        for part in ["-- KEYS[1", "-- ARGV", "-- returns", "-- example"] {
            assert!(file.lines().any(|line| line.starts_with(part)), "{}: no line {part}", script.name);
        }
        assert_eq!(script.source.lines().count(), file.lines().count(), "{}: each line keeps its number", script.name);
        assert!(
            !file.contains("[["),
            "{}: only comments of one line and the indentation of code are removed",
            script.name
        );
        for forbidden in ["math.random", "'sg:", "\"sg:"] {
            assert!(!script.source.lines().any(|line| line.contains(forbidden)), "{}: {forbidden}", script.name);
        }
    }
}
