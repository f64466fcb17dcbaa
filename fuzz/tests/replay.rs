//! Runs every target on the committed inputs, and on the same mutations of them each time.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use sluicegate_fuzz::{Mutator, TARGETS, Target};

/// The mutations of each target: a few seconds for all targets, without optimization.
const MUTATIONS: usize = 5000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Returns the inputs in a folder, with their paths, in the order of their names.
fn inputs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Returns the words of the dictionary: each is in quotes on a line of its own.
fn words() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(folder("dictionary.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.strip_prefix('"').unwrap().strip_suffix('"').unwrap().replace("\\\"", "\"").into()).collect()
}

/// Runs the target, and names the input if it panics.
fn run(target: Target, name: &str, input: &[u8]) {
    let result = catch_unwind(AssertUnwindSafe(|| target.run(input)));
    assert!(result.is_ok(), "{} fails on {name}: b\"{}\"", target.name, input.escape_ascii());
}

fn replay(name: &str) {
    let target = Target::named(name).unwrap();
    let corpus = inputs(&folder("corpus").join(name));
    assert!(corpus.len() >= 3, "{name} has too few inputs: {}", corpus.len());
    let crashes = inputs(&folder("crashes").join(name));
    let all = [&corpus[..], &crashes].concat();
    run(target, "nothing", b"");
    for (path, input) in &all {
        run(target, &path.display().to_string(), input);
    }
    let (mut mutator, words) = (Mutator::new(1), words());
    for _ in 0..MUTATIONS {
        let (_, input) = &all[mutator.below(all.len())];
        let (_, other) = &all[mutator.below(all.len())];
        run(target, "a mutation", &mutator.mutate(input, other, &words));
    }
}

macro_rules! replay {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed() {
            let names = TARGETS.map(|target| target.name);
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

replay! { api config field_text fields history limiter names recorder redis_reply routes tenant token usage }

#[test]
fn every_committed_input_belongs_to_a_target() {
    for (kind, entry) in ["corpus", "crashes"]
        .into_iter()
        .flat_map(|kind| fs::read_dir(folder(kind)).into_iter().flatten().map(move |entry| (kind, entry.unwrap())))
    {
        let name = entry.file_name().into_string().unwrap();
        assert!(Target::named(&name).is_some(), "{kind}/{name}");
    }
}
