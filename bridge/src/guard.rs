//! Kills child processes even if their parent dies without doing so.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// A shell process that kills the watched processes and removes their folder after this process has ended.
///
/// The shell reads from a pipe. The operating system closes the other end when this process ends for any
/// reason, including `SIGKILL`. Dropping the guard stops the shell and kills nothing. Drop it after the
/// processes themselves, so that they are guarded at every moment.
#[derive(Debug)]
pub struct Guard {
    shell: Child,
    list: ChildStdin,
    processes: Vec<u32>,
}

impl Guard {
    /// Starts a guard that watches `folder` and no process yet.
    ///
    /// # Errors
    ///
    /// Fails if `sh` cannot be started.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal must reach only the parent.
            .process_group(0)
            .spawn()?;
        let list = shell.stdin.take().ok_or_else(|| io::Error::other("the guard has no standard input"))?;
        Ok(Self { shell, list, processes: Vec::new() })
    }

    /// Watches one more process.
    ///
    /// # Errors
    ///
    /// Fails if the shell has been killed.
    pub fn watch(&mut self, process: u32) -> io::Result<()> {
        self.processes.push(process);
        self.send_list()
    }

    /// Stops watching a process that has ended: the operating system may reuse its id.
    ///
    /// # Errors
    ///
    /// Fails if the shell has been killed.
    pub fn forget(&mut self, process: u32) -> io::Result<()> {
        self.processes.retain(|&watched| watched != process);
        self.send_list()
    }

    /// Sends all ids in one line. If this process dies while writing, the previous line still holds.
    fn send_list(&mut self) -> io::Result<()> {
        let ids: Vec<_> = self.processes.iter().map(u32::to_string).collect();
        self.list.write_all(format!("{}\n", ids.join(" ")).as_bytes())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Kill the shell before the pipe closes, because it acts on that. Both calls fail only if it has
        // ended already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Removes the folder in several attempts: a dying process may still create a file in it.
const SCRIPT: &str = r#"
all=
while read -r line; do all=$line; done
[ -z "$all" ] || kill -9 $all
for _ in 1 2 3 4 5; do
    rm -rf -- "$1" && break
    sleep 1
done
"#;

#[cfg(test)]
mod tests {
    use std::{mem, thread::sleep, time::Duration};

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("1000").spawn().unwrap()
    }

    fn ends(child: &mut Child) -> bool {
        (0..500).any(|_| {
            sleep(Duration::from_millis(10));
            child.try_wait().unwrap().is_some()
        })
    }

    #[test]
    fn kills_watched_processes_when_the_parent_ends() {
        let folder = tempfile::tempdir().unwrap().keep();
        let mut guard = Guard::new(&folder).unwrap();
        let (mut first, mut ended, mut last) = (sleeper(), sleeper(), sleeper());
        for child in [&first, &ended, &last] {
            guard.watch(child.id()).unwrap();
        }
        guard.forget(ended.id()).unwrap();
        // Close the pipe, as the operating system does when the parent ends.
        let mut other = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        drop(mem::replace(&mut guard.list, other.stdin.take().unwrap()));
        other.wait().unwrap();
        guard.shell.wait().unwrap();
        assert!(ends(&mut first) && ends(&mut last));
        assert!(ended.try_wait().unwrap().is_none());
        assert!(!folder.exists());
        ended.kill().unwrap();
        ended.wait().unwrap();
    }
}
