//! The process of a private Redis, guarded from its start.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::OpenOptions,
    io,
    path::{self, Path, PathBuf},
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use super::error::StartError;
use crate::guard::Guard;

/// A `redis-server` process. Dropping the value kills it; its guard does so if this process dies first.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    id: u32,
    // Dropped last: the guard must still watch if this process dies while it drops the child.
    guard: Guard,
}

impl Process {
    /// Starts Redis in `folder` with a unix socket and, unless `args` say otherwise, no TCP port.
    ///
    /// The child is first a shell that waits for a line, then executes Redis. The line is sent after the
    /// guard has received the child's id, so Redis never runs unguarded.
    pub(super) async fn spawn(folder: &Path, args: &[String]) -> Result<Self, StartError> {
        let program = program()?;
        // Started first, so that it removes everything in the folder.
        let mut guard = Guard::new(folder)?;
        // Redis reports wrong options on stderr, before it opens its log.
        let log = OpenOptions::new().create(true).append(true).open(folder.join(LOG))?;
        let mut child = Command::new("sh")
            .args(["-c", r#"read -r _ && exec "$@" </dev/null"#, "sh"])
            .arg(program)
            .args(["--port", "0", "--unixsocket", "redis.sock", "--unixsocketperm", "700"])
            .args(["--daemonize", "no", "--logfile", LOG, "--save", "", "--appendonly", "no"])
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .process_group(0)
            .spawn()?;
        let exited = || io::Error::other("it exited at once");
        let id = child.id().ok_or_else(exited)?;
        guard.watch(id)?;
        child.stdin.take().ok_or_else(exited)?.write_all(b"\n").await?;
        Ok(Self { child, id, guard })
    }

    /// Waits until the process has exited.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.unwatch();
        Ok(status)
    }

    /// Kills the process with `SIGKILL` and waits until it has exited.
    pub(super) async fn kill(&mut self) {
        // Fails only if the process has exited.
        let _ = self.child.kill().await;
        self.unwatch();
    }

    /// Removes the process from the guard: the operating system may reuse its id.
    fn unwatch(&mut self) {
        // Fails only if the guard has been killed.
        let _ = self.guard.forget(self.id);
    }
}

impl Drop for Process {
    /// Kills the process and waits for its exit, so that its folder can be removed and its ports reused.
    fn drop(&mut self) {
        // Fails only if the process has exited.
        let _ = self.child.start_kill();
        for _ in 0..KILL_POLLS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(KILL_POLL_INTERVAL);
        }
    }
}

/// Returns the path of the program to run.
fn program() -> Result<PathBuf, StartError> {
    let not_installed = |program: &OsStr| StartError::NotInstalled { program: program.to_string_lossy().into_owned() };
    match env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        Some(name) => find(&name).ok_or_else(|| not_installed(&name)),
        None => PROGRAMS.iter().find_map(|name| find(name.as_ref())).ok_or_else(|| not_installed(PROGRAMS[0].as_ref())),
    }
}

/// Returns the absolute path of the program that a shell would run. Redis runs in another folder.
fn find(name: &OsStr) -> Option<PathBuf> {
    let path = Path::new(name);
    let mut candidates: Vec<PathBuf> = Vec::new();
    if path.components().count() > 1 {
        candidates.push(path.to_owned());
    } else {
        let folders = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
        candidates.extend(env::split_paths(&folders).map(|folder| folder.join(path)));
    }
    candidates.into_iter().find(|candidate| candidate.is_file()).and_then(|found| path::absolute(found).ok())
}

/// The environment variable that names another program.
const VARIABLE: &str = "SLUICEGATE_REDIS_SERVER";
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The name of Redis's log file in its folder.
pub(super) const LOG: &str = "redis.log";

/// A process exits at once after `SIGKILL`, unless it waits for a disk.
const KILL_POLL_INTERVAL: Duration = Duration::from_millis(1);
const KILL_POLLS: u32 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name_or_path() {
        let found = find("sh".as_ref()).unwrap();
        assert!(found.is_absolute() && found.ends_with("sh"), "{}", found.display());
        assert_eq!(find(found.as_os_str()), Some(found));
        assert_eq!(find("no-such-program".as_ref()), None);
        assert_eq!(find("./no-such-program".as_ref()), None);
        assert_eq!(find("/".as_ref()), None);
    }
}
