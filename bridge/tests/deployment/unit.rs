//! `bridge/sluicegate-bridge.service` is valid, and as confined as it says.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{PROGRAM, check_variable, run, text};

const UNIT: &str = "sluicegate-bridge.service";

/// Returns the values of a setting in the unit.
fn values(setting: &str) -> Vec<String> {
    let unit = text(&format!("bridge/{UNIT}"));
    let values = unit.lines().filter_map(|line| line.strip_prefix(setting)?.strip_prefix('='));
    values.map(str::to_owned).collect()
}

/// Writes the unit with the program that was just built, because systemd looks for it.
fn with_built_program() -> (TempDir, PathBuf) {
    let unit = text(&format!("bridge/{UNIT}"));
    let [command] = values("ExecStart").try_into().unwrap();
    let program = command.split(' ').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(UNIT);
    fs::write(&path, unit.replace(program, PROGRAM)).unwrap();
    (folder, path)
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_finds_no_mistake() {
    let (_folder, unit) = with_built_program();
    let verify = ["verify", "--man=no", "--recursive-errors=no"];
    let output = run(Command::new("systemd-analyze").args(verify).arg(&unit));
    assert_eq!(output, "", "systemd warns, and ignores what it does not understand");
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_finds_little_exposure() {
    let (_folder, unit) = with_built_program();
    // Of 100. What is left: the network, which the bridge is for.
    let security = ["security", "--offline=true", "--no-pager", "--threshold=15"];
    run(Command::new("systemd-analyze").args(security).arg(&unit));
}

#[test]
fn every_variable_is_one_that_the_bridge_reads() {
    let unit = text(&format!("bridge/{UNIT}"));
    let names =
        unit.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|name| name.starts_with("SLUICEGATE"));
    let mut checked = 0;
    for name in names {
        check_variable(name);
        checked += 1;
    }
    assert!(checked >= 3, "the test reads the names: {checked}");
}

#[test]
fn the_token_is_in_no_environment() {
    assert_eq!(values("Environment"), ["SLUICEGATE_BRIDGE_TOKEN_FILE=%d/token"]);
    let [credential] = values("LoadCredential").try_into().unwrap();
    assert!(credential.starts_with("token:/"));
}

#[test]
fn the_instructions_name_the_files_of_the_unit() {
    let instructions = text("docs/operations.md");
    let [credential] = values("LoadCredential").try_into().unwrap();
    let [environment] = values("EnvironmentFile").try_into().unwrap();
    let [program] = values("ExecStart").try_into().unwrap();
    for file in [credential.trim_start_matches("token:"), &environment, program.rsplit_once('/').unwrap().0] {
        assert!(instructions.contains(file), "{file}");
    }
}
