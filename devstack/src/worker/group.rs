//! A process group that ends as a whole, even if the process that started it is killed.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::members::any_running;

/// Environment variables to set, or to remove if there is no value.
pub(crate) type Environment = Vec<(OsString, Option<OsString>)>;

/// A command and everything it starts, in a process group of their own.
///
/// A small shell script leads the group and holds the read end of a pipe; this value holds the write end. When the
/// value is dropped, or this process ends in any way (a panic, SIGKILL), the pipe closes and the script ends the group:
/// SIGTERM first, SIGKILL after [`GRACE`]. The group also keeps the terminal's Ctrl-C away from the command.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
    id: Option<Pid>,
    lifeline: Option<ChildStdin>,
}

impl Group {
    /// Starts the command in `folder`. The script removes `scratch` when it ends the group.
    ///
    /// # Errors
    ///
    /// Fails if no process can be started. A command that does not exist ends with status 127 instead.
    pub(crate) fn spawn(
        command: &[&OsStr],
        folder: &Path,
        scratch: &Path,
        environment: &Environment,
    ) -> io::Result<Self> {
        let mut guarded = Command::new("/bin/sh");
        guarded
            .args(["-c", include_str!("guard.sh"), "guard"])
            .args(command)
            .current_dir(folder)
            .env("GUARD_FOLDER", scratch)
            .env("GUARD_GRACE_SECONDS", GRACE.as_secs().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for (name, value) in environment {
            match value {
                Some(value) => guarded.env(name, value),
                None => guarded.env_remove(name),
            };
        }
        let mut leader = guarded.spawn()?;
        let id = leader.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let lifeline = leader.stdin.take();
        Ok(Self { leader, id, lifeline })
    }

    /// Returns the id of the group; `None` once it has been waited for.
    pub(crate) fn id(&self) -> Option<u32> {
        self.leader.id()
    }

    /// Returns the output of the whole group; `None` after the first call.
    pub(crate) fn take_output(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        Some((self.leader.stdout.take()?, self.leader.stderr.take()?))
    }

    /// Waits until the command ends by itself.
    ///
    /// # Errors
    ///
    /// Fails if the system cannot wait for it.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        // The lifeline stays open, because it was taken from the child: `Child::wait` closes only the child's own.
        let status = self.leader.wait().await;
        self.finish().await;
        status
    }

    /// Ends the group and waits until it has ended.
    pub(crate) async fn stop(&mut self) {
        self.lifeline = None;
        // The script ends within the grace period; the bound is for a script that was paused (SIGSTOP).
        drop(tokio::time::timeout(GRACE + MARGIN, self.leader.wait()).await);
        self.finish().await;
    }

    /// Kills what is left if the script was killed, and waits until it has ended.
    async fn finish(&mut self) {
        let Some(id) = self.kill() else { return };
        let gone = async {
            while any_running(id) {
                tokio::time::sleep(POLL).await;
            }
        };
        drop(tokio::time::timeout(MARGIN, gone).await);
    }

    /// Kills the group once; later its id may belong to another group.
    fn kill(&mut self) -> Option<Pid> {
        let id = self.id.take()?;
        // Fails only if nothing is left to kill.
        let _ = kill_process_group(id, Signal::KILL);
        Some(id)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.lifeline = None;
        block_while(GRACE + MARGIN, || matches!(self.leader.try_wait(), Ok(None)));
        if let Some(id) = self.kill() {
            block_while(MARGIN, || any_running(id));
        }
    }
}

/// Blocks while the condition holds, for `bound` at most; a drop cannot await.
fn block_while(bound: Duration, mut condition: impl FnMut() -> bool) {
    let mut left = bound;
    while !left.is_zero() && condition() {
        std::thread::sleep(POLL);
        left = left.saturating_sub(POLL);
    }
}

/// The time between SIGTERM and SIGKILL; wrangler needs a tenth of a second.
const GRACE: Duration = Duration::from_secs(5);

/// The additional time the script may take on a busy machine.
const MARGIN: Duration = Duration::from_secs(2);

const POLL: Duration = Duration::from_millis(5);
