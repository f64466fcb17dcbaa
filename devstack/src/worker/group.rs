//! A process group that ends as a whole, whatever happens to the process that started it.

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

/// Variables to set, or to remove where there is no value.
pub(crate) type Environment = Vec<(OsString, Option<OsString>)>;

/// A command and everything it started, in a process group of their own.
///
/// A small shell script leads the group and holds the read end of a pipe whose write end is here. When this value is
/// dropped, or this process ends in any way (a panic, SIGKILL), the pipe closes and the script ends the group: SIGTERM
/// first, SIGKILL after [`GRACE`]. The group also keeps the terminal's Ctrl-C away from the command.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
    id: Option<Pid>,
    lifeline: Option<ChildStdin>,
}

impl Group {
    /// Starts the command in `folder`; `scratch` is a folder that goes with the group. The output is taken with [`Group::take_output`].
    ///
    /// # Errors
    ///
    /// No process can be started. A command that does not exist ends with status 127 instead.
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

    /// The number of the group, for as long as it has not been waited for.
    pub(crate) fn id(&self) -> Option<u32> {
        self.leader.id()
    }

    /// Hands out the output of the whole group, once.
    pub(crate) fn take_output(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        Some((self.leader.stdout.take()?, self.leader.stderr.take()?))
    }

    /// Waits until the command ends by itself.
    ///
    /// # Errors
    ///
    /// The system cannot wait for it.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        // The lifeline stays open: `Child::wait` would close it only if it were still the child's own.
        let status = self.leader.wait().await;
        self.finish().await;
        status
    }

    /// Ends the group and waits until it has ended.
    pub(crate) async fn stop(&mut self) {
        self.lifeline = None;
        // The script ends within the grace; the bound is for a script that somebody has stopped.
        drop(tokio::time::timeout(GRACE + MARGIN, self.leader.wait()).await);
        self.finish().await;
    }

    /// Kills what a script that was itself killed has left behind, and waits until the system has taken it away.
    async fn finish(&mut self) {
        let Some(id) = self.kill() else { return };
        let gone = async {
            while any_running(id) {
                tokio::time::sleep(POLL).await;
            }
        };
        drop(tokio::time::timeout(MARGIN, gone).await);
    }

    /// Kills the group once; later its number may be somebody else's.
    fn kill(&mut self) -> Option<Pid> {
        let id = self.id.take()?;
        // An error says that there is nothing left to kill.
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

/// Waits as long as the condition holds, `bound` at most; on this thread, since a drop cannot await.
fn block_while(bound: Duration, mut condition: impl FnMut() -> bool) {
    let mut left = bound;
    while !left.is_zero() && condition() {
        std::thread::sleep(POLL);
        left = left.saturating_sub(POLL);
    }
}

/// How long processes have between SIGTERM and SIGKILL; wrangler needs a tenth of a second.
const GRACE: Duration = Duration::from_secs(5);

/// What the script itself may take on top of that on a busy machine.
const MARGIN: Duration = Duration::from_secs(2);

const POLL: Duration = Duration::from_millis(5);
