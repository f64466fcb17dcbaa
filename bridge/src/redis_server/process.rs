//! The process of a private Redis, from its first moment on under a guard.

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

/// A `redis-server` that is killed with the value, or by its guard if this process cannot.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    id: u32,
    // Dropped last: if this process dies while it drops the child, the guard is still there.
    guard: Guard,
}

impl Process {
    /// Runs Redis in `folder`, with a unix socket there and no TCP port unless `args` say otherwise.
    ///
    /// What is started is a shell that waits for a line and then becomes Redis. The guard knows its id before
    /// the line is sent, so that at no moment a Redis runs that nobody would end.
    pub(super) async fn spawn(folder: &Path, args: &[String]) -> Result<Self, StartError> {
        let program = program()?;
        // First of all, so that whatever is in the folder goes with it.
        let mut guard = Guard::new(folder)?;
        // Redis writes there what is wrong with its options, before it opens its log itself.
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
        let ended = || io::Error::other("it ended at once");
        let id = child.id().ok_or_else(ended)?;
        guard.watch(id)?;
        child.stdin.take().ok_or_else(ended)?.write_all(b"\n").await?;
        Ok(Self { child, id, guard })
    }

    /// Waits until it has ended by itself.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.unwatch();
        Ok(status)
    }

    /// Ends it with `SIGKILL` and waits until it has ended.
    pub(super) async fn kill(&mut self) {
        // Fails only if the process is gone.
        let _ = self.child.kill().await;
        self.unwatch();
    }

    /// From now on the system may give its id to another process.
    fn unwatch(&mut self) {
        // Without a guard there is nobody to be told.
        let _ = self.guard.forget(self.id);
    }
}

impl Drop for Process {
    /// Waits for the end, so that its folder can be removed and its ports taken.
    fn drop(&mut self) {
        // Fails only if the process is gone.
        let _ = self.child.start_kill();
        for _ in 0..KILL_POLLS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(KILL_POLL_INTERVAL);
        }
    }
}

/// The program to run, by its path.
fn program() -> Result<PathBuf, StartError> {
    let not_installed = |program: &OsStr| StartError::NotInstalled { program: program.to_string_lossy().into_owned() };
    match env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        Some(name) => find(&name).ok_or_else(|| not_installed(&name)),
        None => PROGRAMS.iter().find_map(|name| find(name.as_ref())).ok_or_else(|| not_installed(PROGRAMS[0].as_ref())),
    }
}

/// The file that a shell would run; absolute, because Redis runs in a folder of its own.
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

/// The variable that names another program.
const VARIABLE: &str = "SLUICEGATE_REDIS_SERVER";
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The file of Redis's log in its folder.
pub(super) const LOG: &str = "redis.log";

/// A process ends at once after `SIGKILL`, unless it waits for a disk.
const KILL_POLL_INTERVAL: Duration = Duration::from_millis(1);
const KILL_POLLS: u32 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_name_or_by_path() {
        let found = find("sh".as_ref()).unwrap();
        assert!(found.is_absolute() && found.ends_with("sh"), "{}", found.display());
        assert_eq!(find(found.as_os_str()), Some(found));
        assert_eq!(find("no-such-program".as_ref()), None);
        assert_eq!(find("./no-such-program".as_ref()), None);
        assert_eq!(find("/".as_ref()), None);
    }
}
