//! Ends the processes of an owner who could not.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// A shell that waits until this process is gone, then kills the processes it was told of and removes their folder.
///
/// It reads from a pipe whose other end this process holds: the operating system closes it, however this process
/// ends, `SIGKILL` included. Dropped, the guard ends without doing anything: let it be dropped after the processes,
/// so that there is no moment at which nobody would end them.
#[derive(Debug)]
pub struct Guard {
    shell: Child,
    list: ChildStdin,
    processes: Vec<u32>,
}

impl Guard {
    /// A guard of `folder` and, so far, no process.
    ///
    /// # Errors
    ///
    /// There is no `sh`, or no process or pipe is left.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A terminal's Ctrl-C is for the owner.
            .process_group(0)
            .spawn()?;
        let list = shell.stdin.take().ok_or_else(|| io::Error::other("the guard has no input"))?;
        Ok(Self { shell, list, processes: Vec::new() })
    }

    /// Guards one more process.
    ///
    /// # Errors
    ///
    /// The shell is gone: somebody has killed it.
    pub fn watch(&mut self, process: u32) -> io::Result<()> {
        self.processes.push(process);
        self.send_list()
    }

    /// Guards one process less: it has ended, and the system may give its number to another one.
    ///
    /// # Errors
    ///
    /// The shell is gone: somebody has killed it.
    pub fn forget(&mut self, process: u32) -> io::Result<()> {
        self.processes.retain(|&watched| watched != process);
        self.send_list()
    }

    /// One line has all of them, so that an owner who dies while writing leaves the line before.
    fn send_list(&mut self) -> io::Result<()> {
        let numbers: Vec<_> = self.processes.iter().map(u32::to_string).collect();
        self.list.write_all(format!("{}\n", numbers.join(" ")).as_bytes())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Killed before the pipe is closed, which is what it acts on. Both fail only if it is gone already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// A process that is being killed may still make a file, and then its folder cannot be removed yet.
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
    fn kills_what_it_watches_when_the_owner_is_gone() {
        let folder = tempfile::tempdir().unwrap().keep();
        let mut guard = Guard::new(&folder).unwrap();
        let (mut first, mut ended, mut last) = (sleeper(), sleeper(), sleeper());
        for child in [&first, &ended, &last] {
            guard.watch(child.id()).unwrap();
        }
        guard.forget(ended.id()).unwrap();
        // Closes the pipe, as the system does when the owner ends.
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
