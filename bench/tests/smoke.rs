//! The benchmark measures all contenders; it and the soak leave no process or file however they end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside of #[test] functions")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Returns the command of a run with its temporary files, and those of its children, in `folder`.
fn bench(folder: &TempDir, seconds: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate-bench"));
    command
        .env("TMPDIR", folder.path())
        .env("BENCH_SECONDS", seconds)
        .env("BENCH_ROUNDS", "1")
        .arg("--root")
        .arg(root());
    command
}

/// Returns the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the processes with their working folder in `folder`.
fn processes(folder: &TempDir) -> Vec<PathBuf> {
    let folder = folder.path().canonicalize().unwrap();
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    all.filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&folder))).collect()
}

/// Waits until no process and no file is left.
fn expect_nothing_left(folder: &TempDir) {
    let left = || (processes(folder), fs::read_dir(folder).unwrap().map(Result::unwrap).collect::<Vec<_>>());
    for _ in 0..500 {
        if matches!(left(), (processes, files) if processes.is_empty() && files.is_empty()) {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("left behind: {:?}", left());
}

/// Starts a run that takes longer than the test, and waits until it measures.
fn measuring(folder: &TempDir) -> (Child, impl Read + use<>) {
    let mut child = bench(folder, "600").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "a: warming up\n");
    // Four workerd and a Redis.
    assert_eq!(processes(folder).len(), 5);
    (child, stderr)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn every_scenario_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let json = elsewhere.path().join("numbers.json");
    let output = bench(&folder, "0.05").arg("--json").arg(&json).output().unwrap();
    let (tables, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}");

    let numbers: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let scenarios = numbers["scenarios"].as_array().unwrap();
    let letters: String = scenarios.iter().map(|scenario| scenario["letter"].as_str().unwrap()).collect();
    assert_eq!(letters, "abcdeef");
    for scenario in scenarios {
        let heading = format!("{}: {}", scenario["letter"].as_str().unwrap(), scenario["title"].as_str().unwrap());
        assert!(tables.lines().any(|line| line == heading), "{heading} is not in {tables}");
        let results = scenario["results"].as_array().unwrap();
        let measurements = if scenario["letter"] == "a" { 3 } else { 1 };
        assert_eq!(results.len() % measurements, 0);
        assert!(results.len() / measurements >= 4, "{heading}: {results:?}");
        for result in results {
            assert!(result["median"]["requests_per_second"].as_f64().unwrap() > 0.0, "{heading}: {result}");
            expect_counts(scenario["letter"].as_str().unwrap(), result);
        }
    }
    expect_nothing_left(&folder);
}

/// Checks the calls and commands of each request.
fn expect_counts(scenario: &str, result: &Value) {
    let (contender, median) = (result["contender"].as_str().unwrap(), &result["median"]);
    let (commands, calls) = match (scenario, contender) {
        (_, "forward") => (0.0, 0.0),
        // Memory answers some requests of a flood.
        ("c", "upstash" | "sluicegate") => {
            assert!(median["http_calls"].as_f64().unwrap() < 1.0, "{scenario} {contender}: {median}");
            assert!(median["delivered"].as_f64().unwrap() > 0.0, "{scenario} {contender}: {median}");
            return;
        }
        // So short a load is over before units are taken in advance; tests/e2e/prefetch.rs counts their calls.
        (_, "prefetch") => {
            assert!(median["http_calls"].as_f64().unwrap() <= 1.0, "{scenario} {contender}: {median}");
            return;
        }
        // A refused check writes nothing.
        ("c", "floor") => (2.0, 1.0),
        ("d", "upstash") => (12.0, 3.0),
        (_, "upstash") => (4.0, 1.0),
        _ => (3.0, 1.0),
    };
    assert_eq!(median["http_calls"], calls, "{scenario} {contender}: {median}");
    // For the first request of a window, npm @upstash/ratelimit sends one more command, to set the expiry.
    let most = if scenario == "c" || contender == "upstash" { commands + calls } else { commands };
    let found = median["redis_commands"].as_f64().unwrap();
    assert!((commands..=most).contains(&found), "{scenario} {contender}: {median}");
    let reported = matches!(contender, "upstash" | "sluicegate");
    assert_eq!(median["limiter_ms"].is_number(), reported, "{scenario} {contender}: {median}");
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut stderr) = measuring(&folder);
    signal(&child, Signal::INT);
    let mut error = String::new();
    stderr.read_to_string(&mut error).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(error, "sluicegate-bench: interrupted\n");
    expect_nothing_left(&folder);
}

#[test]
fn an_interrupted_soak_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_soak"));
    command.env("TMPDIR", folder.path()).env("MINUTES", "10").arg("--root").arg(root());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert!(line.starts_with("minute"), "{line}");
    // One workerd and a Redis.
    assert_eq!(processes(&folder).len(), 2);
    signal(&child, Signal::INT);
    let mut error = String::new();
    stderr.read_to_string(&mut error).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(error, "soak: interrupted\n");
    expect_nothing_left(&folder);
}

#[test]
fn a_killed_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _stderr) = measuring(&folder);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    expect_nothing_left(&folder);
}
