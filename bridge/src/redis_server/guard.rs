//! Ends a process whose owner could not.

use std::{io, path::Path, process::Stdio};

use tokio::process::{Child, Command};

/// A shell that waits until this process is gone, then kills another and removes its folder.
///
/// It reads from a pipe whose other end this process holds: the operating system closes it, however this
/// process ends, `SIGKILL` included. Dropped, the guard ends without doing anything.
#[derive(Debug)]
pub(super) struct Guard {
    // Never read: it holds the pipe open, and ends the shell when it is dropped.
    _shell: Child,
}

impl Guard {
    pub(super) fn new(process: u32, folder: &Path) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh", &process.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()?;
        Ok(Self { _shell: shell })
    }
}

const SCRIPT: &str = r#"read -r _; kill -9 "$1"; rm -rf -- "$2""#;
