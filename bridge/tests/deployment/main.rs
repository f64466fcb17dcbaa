//! The container and the systemd unit of the bridge, as far as they can be checked without an engine that runs them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod container;
mod context;
mod dockerfile;
mod documented;
mod unit;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the path of a file in the repository.
fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(file)
}

/// Returns the text of a file in the repository.
fn text(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Runs a command, which must succeed, and returns all of its output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

/// Fails unless the bridge reads a variable.
fn check_variable(name: &str) {
    let help = run(Command::new(PROGRAM).arg("--help"));
    assert!(help.contains(&format!("[env: {name}")), "{name} is not in\n{help}");
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_sluicegate-bridge");
