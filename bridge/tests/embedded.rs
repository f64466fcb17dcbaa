//! The Redis of `sluicegate-bridge --embedded`: the program it runs, and its end.

#![expect(clippy::unwrap_used, reason = "a test that cannot run a program has failed")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

fn embedded(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate-bridge"));
    command.args(["--embedded", "--listen", "127.0.0.1:0", "--token", "t"]).env("TMPDIR", temporary);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Returns the ids of the processes with a working directory in the folder.
fn working_in(folder: &Path) -> Vec<String> {
    let folders = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let inside = folders.filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)));
    inside.map(|process| process.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

/// Waits until no process uses the folder. Kills those that remain, so that a failed test leaves none.
fn all_have_ended(folder: &Path) {
    let ended = (0..1000).any(|_| {
        sleep(Duration::from_millis(10));
        working_in(folder).is_empty()
    });
    if !ended {
        let left = working_in(folder);
        assert!(Command::new("kill").arg("-KILL").args(&left).status().unwrap().success());
        assert_eq!(left.len(), 0, "unguarded redis processes were left");
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect()
}

/// Polls every 0.1 ms for up to about 20 s until there is a value.
fn eventually<T>(what: &str, mut value: impl FnMut() -> Option<T>) -> T {
    let found = (0..100_000).find_map(|_| {
        let found = value();
        if found.is_none() {
            sleep(Duration::from_micros(100));
        }
        found
    });
    found.ok_or_else(|| format!("timed out waiting until {what}")).unwrap()
}

fn error_output(mut command: Command) -> String {
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

/// A program that is killed while it starts its Redis must not leave an unguarded one.
#[test]
fn a_program_killed_during_its_start_leaves_no_redis() {
    let temporary = tempfile::tempdir().unwrap();
    for round in 0..60 {
        let known = folders_in(temporary.path());
        let mut program = embedded(temporary.path()).spawn().unwrap();
        eventually("the program creates the folder of its redis", || {
            folders_in(temporary.path()).iter().any(|folder| !known.contains(folder)).then_some(())
        });
        sleep(Duration::from_micros(100) * round);
        end(&mut program);
    }
    all_have_ended(temporary.path());
    // A program killed before it started its guard leaves an empty folder.
    let empty = |folder: &PathBuf| fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    eventually("their files are removed", || folders_in(temporary.path()).iter().all(empty).then_some(()));
}

#[test]
fn the_environment_variable_selects_the_program() {
    let temporary = tempfile::tempdir().unwrap();
    let (elsewhere, marker) = (temporary.path().join("my-redis"), temporary.path().join("marker"));
    fs::write(&elsewhere, format!("#!/bin/sh\necho started >{}\nexec redis-server \"$@\"\n", marker.display()))
        .unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).unwrap();
    let mut program = embedded(temporary.path()).env("SLUICEGATE_REDIS_SERVER", &elsewhere).spawn().unwrap();
    eventually("the selected program starts", || marker.exists().then_some(()));
    end(&mut program);
    all_have_ended(temporary.path());
}

#[test]
fn a_missing_or_wrong_program_is_an_error() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = embedded(temporary.path());
    command.env("SLUICEGATE_REDIS_SERVER", "/nowhere/redis-server");
    let expected = "/nowhere/redis-server not found (install the package redis-server, or name the program in \
                    SLUICEGATE_REDIS_SERVER)";
    assert_eq!(error_output(command), format!("sluicegate-bridge: {expected}\n"));
    let mut command = embedded(temporary.path());
    command.env("SLUICEGATE_REDIS_SERVER", "false");
    let error = error_output(command);
    assert!(error.starts_with("sluicegate-bridge: redis-server did not start: exit status: 1: "), "{error}");
}

fn end(program: &mut Child) {
    program.kill().unwrap();
    program.wait().unwrap();
}
