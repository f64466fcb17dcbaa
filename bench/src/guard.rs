//! Ends the processes of a run whose owner could not.

use std::{io, path::Path, process::Stdio};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, Command},
};

/// A shell that waits until this process is gone, then kills those it was told of and removes their folder.
///
/// It reads their numbers from a pipe whose other end this process holds: the operating system closes it, however
/// this process ends, `SIGKILL` included. Dropped, the guard ends without doing anything.
#[derive(Debug)]
pub(crate) struct Guard {
    // First: dropped first, so that the shell does not see the pipe close.
    _shell: Child,
    processes: ChildStdin,
}

impl Guard {
    /// A guard of `folder` and, so far, no process.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()?;
        let processes = shell.stdin.take().ok_or_else(|| io::Error::other("the guard has no input"))?;
        Ok(Self { _shell: shell, processes })
    }

    /// Guards one more process.
    pub(crate) async fn watch(&mut self, process: u32) -> io::Result<()> {
        self.processes.write_all(format!("{process}\n").as_bytes()).await
    }
}

const SCRIPT: &str =
    r#"all=; while read -r process; do all="$all $process"; done; [ -z "$all" ] || kill -9 $all; rm -rf -- "$1""#;
