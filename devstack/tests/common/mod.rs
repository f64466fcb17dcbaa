//! Helpers that several tests share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{sleep, timeout};

/// Returns the path of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Returns the path of the tiny Worker's configuration.
pub(crate) fn tiny() -> PathBuf {
    root().join("devstack/tests/tiny/wrangler.toml")
}

/// Copies the tiny Worker into the folder, because wrangler writes files next to its configuration; returns its path.
pub(crate) fn tiny_in(folder: &Path) -> PathBuf {
    let source = tiny();
    for name in ["wrangler.toml", "worker.js"] {
        fs::copy(source.with_file_name(name), folder.join(name)).unwrap();
    }
    folder.join("wrangler.toml")
}

/// A running process, from `/proc`.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) name: String,
}

/// Returns all processes except those that have ended and were not reaped yet.
pub(crate) fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(|stat| process(&stat)).collect()
}

/// Returns the running processes of a process group.
pub(crate) fn in_group(group: u32) -> Vec<Process> {
    processes().into_iter().filter(|process| process.group == group).collect()
}

/// Parses `1234 (name) S parent group …`; `None` if the process has ended.
fn process(stat: &str) -> Option<Process> {
    let (id, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    let [state, parent, group, ..] = fields.as_slice() else { return None };
    let running = !matches!(*state, "Z" | "X");
    running.then_some(Process {
        id: id.parse().ok()?,
        parent: parent.parse().ok()?,
        group: group.parse().ok()?,
        name: name.to_owned(),
    })
}

/// Waits until the condition holds, 30 s at most; `what` is for the error message.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), holds).await.map_err(|_| format!("timed out: {what}")).unwrap();
}
