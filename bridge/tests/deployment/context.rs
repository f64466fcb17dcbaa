//! The files that an engine sends to a build: those that `.dockerignore` lets through.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{path, run, text};

/// Returns whether `.dockerignore` lets a file through: the last pattern that matches it, or a folder above it, decides.
fn admits(file: &str) -> bool {
    let text = text(".dockerignore");
    let patterns = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut decided = patterns.filter_map(|line| {
        let (pattern, admitted) = line.strip_prefix('!').map_or((line, false), |pattern| (pattern, true));
        matches(pattern, file).then_some(admitted)
    });
    decided.next_back().unwrap_or(true)
}

/// Returns whether a pattern matches a file or a folder above it. A `*` stands for one whole name.
fn matches(pattern: &str, file: &str) -> bool {
    let names: Vec<&str> = file.split('/').collect();
    let parts: Vec<&str> = pattern.split('/').collect();
    let same = |(part, name): (&&str, &&str)| *part == "*" || part == name;
    assert!(!parts.iter().any(|part| *part != "*" && part.contains(['*', '?', '['])), "not supported here: {pattern}");
    parts.len() <= names.len() && parts.iter().zip(&names).all(same)
}

/// Returns the files of the repository that are in the context.
pub(crate) fn files() -> Vec<String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let list = run(Command::new("git").args(list).current_dir(path("")));
    let files: Vec<String> =
        list.split('\0').filter(|file| path(file).is_file() && admits(file)).map(str::to_owned).collect();
    assert!(files.len() > 100, "the test finds the files");
    files
}

/// Copies the context into a folder of its own.
pub(crate) fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files() {
        let copied = folder.path().join(&file);
        fs::create_dir_all(copied.parent().unwrap()).unwrap();
        fs::copy(path(&file), copied).unwrap();
    }
    folder
}

/// Returns the folder in which this test was built, where most of the dependencies are built already.
pub(crate) fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

#[test]
fn the_last_pattern_that_matches_decides() {
    assert!(matches("*/src", "bridge/src/main.rs"));
    assert!(!matches("*/src", "src/lib.rs"));
    assert!(!matches("*/src", "a/b/src"));
}

#[test]
fn secrets_and_what_is_built_stay_out() {
    for file in [
        ".dev.vars",
        ".git/config",
        "wrangler.production.toml",
        "sluicegate.toml",
        "target/release/sluicegate",
        "node_modules/wrangler/package.json",
        "bridge/bridge.env",
        "bridge/bridge.token",
        "rust-toolchain.toml",
    ] {
        assert!(!admits(file), "{file}");
    }
}
