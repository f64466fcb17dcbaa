//! A private Redis for development and tests.

mod guard;
mod log;
mod socket;

use std::{
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use self::guard::Guard;

/// A `redis-server` process of its own, on a unix socket in a temporary folder, with no TCP port.
///
/// Process and folder end with the value, and also when this process ends without dropping it, as after
/// `SIGKILL`. The process is in a group of its own, so that a terminal's Ctrl-C reaches the owner alone,
/// who ends it in order.
#[derive(Debug)]
pub struct RedisServer {
    // First: fields are dropped in order, and a guard must not act on a process that is gone.
    guard: Guard,
    child: Child,
    socket: PathBuf,
    args: Vec<String>,
    // Last: the child works in it.
    folder: TempDir,
}

/// Why a private Redis did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Neither `redis-server` nor `valkey-server` is on the PATH.
    #[error("redis-server not found (install the package redis-server)")]
    NotInstalled,
    /// The temporary folder or the process could not be made.
    #[error("cannot start redis-server: {0}")]
    Io(#[from] io::Error),
    /// The path of the temporary folder is too long for a unix socket.
    #[error("path too long for a unix socket: {} (set TMPDIR to a shorter one)", .0.display())]
    SocketPath(PathBuf),
    /// Redis ended at once, or did not answer.
    #[error("redis-server did not start: {reason}: {log}")]
    NotReady {
        /// Its exit status, or how long it was waited for.
        reason: String,
        /// The end of its log.
        log: String,
    },
}

impl RedisServer {
    /// Starts an empty Redis that keeps nothing on disk, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Redis is not installed, or did not start; the error has the end of its log.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(&[]).await
    }

    /// Starts Redis with more options, as on its command line: `["--appendonly", "yes"]`. They come last,
    /// so they win.
    ///
    /// # Errors
    ///
    /// As [`RedisServer::start`].
    pub async fn start_with(args: &[String]) -> Result<Self, StartError> {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("sluicegate-redis-").permissions(private).tempdir()?;
        let socket = folder.path().join("redis.sock");
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(StartError::SocketPath(socket));
        }
        let (child, guard) = spawn(folder.path(), args)?;
        let mut server = Self { guard, child, socket, args: args.to_vec(), folder };
        server.ready().await?;
        Ok(server)
    }

    /// `redis+unix://…`, for [`Backend::Redis`](crate::Backend::Redis) and Redis clients.
    #[must_use]
    pub fn url(&self) -> String {
        let path = self.socket.to_string_lossy();
        format!("redis+unix://{}", utf8_percent_encode(&path, NOT_IN_A_PATH))
    }

    /// The unix socket, for `redis-cli -s`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends Redis in order: it writes what its persistence asks for, then exits. Killed after 5 s.
    pub async fn stop(&mut self) {
        // An error means that it is gone already, or does not listen: `kill` sees to both.
        let _ = socket::shutdown(&self.socket).await;
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends Redis at once with `SIGKILL`, as a crash would.
    pub async fn kill(&mut self) {
        // Fails only if the process is gone.
        let _ = self.child.kill().await;
    }

    /// Ends Redis if it runs and starts it again: same folder, same socket, same options.
    ///
    /// # Errors
    ///
    /// As [`RedisServer::start`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.stop().await;
        (self.child, self.guard) = spawn(self.folder.path(), &self.args)?;
        self.ready().await
    }

    /// Resolves when the process has ended, whatever ended it.
    ///
    /// # Errors
    ///
    /// The operating system cannot say.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    async fn ready(&mut self) -> Result<(), StartError> {
        let answers = async {
            while !socket::answers(&self.socket).await {
                sleep(POLL).await;
            }
        };
        let reason = tokio::select! {
            outcome = timeout(PATIENCE, answers) => match outcome {
                Ok(()) => return Ok(()),
                Err(_) => format!("no answer within {PATIENCE:?}"),
            },
            status = self.child.wait() => status?.to_string(),
        };
        self.kill().await;
        Err(StartError::NotReady { reason, log: log::end(&self.folder.path().join(LOG)) })
    }
}

fn spawn(folder: &Path, args: &[String]) -> Result<(Child, Guard), StartError> {
    for program in PROGRAMS {
        let mut command = Command::new(program);
        command
            .args(["--port", "0", "--unixsocket", "redis.sock", "--unixsocketperm", "700"])
            .args(["--daemonize", "no", "--logfile", LOG, "--save", "", "--appendonly", "no"])
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .process_group(0);
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => {
                let child = outcome?;
                let process = child.id().ok_or_else(|| io::Error::other("it ended at once"))?;
                let guard = Guard::new(process, folder)?;
                return Ok((child, guard));
            }
        }
    }
    Err(StartError::NotInstalled)
}

const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
const LOG: &str = "redis.log";
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// `sun_path` has 108 bytes on Linux and 104 on macOS, with the final zero.
const MAX_SOCKET_PATH: usize = 103;

const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');
