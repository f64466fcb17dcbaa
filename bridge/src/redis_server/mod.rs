//! A private Redis for development and tests.

mod error;
mod log;
mod process;
mod socket;

use std::{
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

pub use self::error::StartError;
use self::process::Process;

/// A private `redis-server` process that listens on a unix socket in a temporary folder and on no TCP port.
///
/// Dropping the value kills the process and removes the folder. A [`Guard`](crate::guard::Guard) does the
/// same if this process ends without dropping the value, as after `SIGKILL`. Redis runs in its own process
/// group, so Ctrl-C in a terminal reaches only the owner, who then stops Redis in order.
///
/// The environment variable `SLUICEGATE_REDIS_SERVER` names the program, as a path or as a name on the
/// `PATH`. The default is `redis-server` on the `PATH`, then `valkey-server`.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    socket: PathBuf,
    args: Vec<String>,
    // Last: fields are dropped in order, and the process uses the folder.
    folder: TempDir,
}

impl RedisServer {
    /// Starts an empty Redis without persistence and waits until it replies.
    ///
    /// # Errors
    ///
    /// Fails if Redis is not installed or does not start. The error contains the last lines of its log.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(&[]).await
    }

    /// Starts Redis with additional command-line options, such as `["--appendonly", "yes"]`, which override the
    /// defaults.
    ///
    /// # Errors
    ///
    /// See [`RedisServer::start`].
    pub async fn start_with(args: &[String]) -> Result<Self, StartError> {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("sluicegate-redis-").permissions(private).tempdir()?;
        let socket = folder.path().join("redis.sock");
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(StartError::SocketPath(socket));
        }
        let process = Process::spawn(folder.path(), args).await?;
        let mut server = Self { process, socket, args: args.to_vec(), folder };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Returns the URL `redis+unix://…`, for [`Backend::Redis`](crate::backend::Backend::Redis) and for Redis
    /// clients.
    #[must_use]
    pub fn url(&self) -> String {
        let path = self.socket.to_string_lossy();
        format!("redis+unix://{}", utf8_percent_encode(&path, NOT_IN_A_PATH))
    }

    /// Returns the path of the unix socket, for `redis-cli -s`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Shuts Redis down: it saves its data if persistence is on, then exits. Kills it after 5 s.
    pub async fn stop(&mut self) {
        // An error means that Redis has exited or does not listen. `kill` handles both.
        let _ = socket::shutdown(&self.socket).await;
        if timeout(TIMEOUT, self.process.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills Redis with `SIGKILL`, like a crash.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Stops Redis if it is running and starts it again with the same folder, socket and options.
    ///
    /// # Errors
    ///
    /// See [`RedisServer::start`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.stop().await;
        self.process = Process::spawn(self.folder.path(), &self.args).await?;
        self.wait_until_ready().await
    }

    /// Waits until the process has exited for any reason.
    ///
    /// # Errors
    ///
    /// Fails if the operating system does not report the exit status.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    async fn wait_until_ready(&mut self) -> Result<(), StartError> {
        let ready = async {
            while !socket::is_ready(&self.socket).await {
                sleep(POLL_INTERVAL).await;
            }
        };
        let reason = tokio::select! {
            outcome = timeout(TIMEOUT, ready) => match outcome {
                Ok(()) => return Ok(()),
                Err(_) => format!("no reply within {TIMEOUT:?}"),
            },
            status = self.process.wait() => status?.to_string(),
        };
        self.kill().await;
        Err(StartError::NotReady { reason, log: log::last_lines(&self.folder.path().join(process::LOG)) })
    }
}

/// The time limit for a start and for a shutdown.
const TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// `sun_path` has 108 bytes on Linux and 104 on macOS, including the final zero.
const MAX_SOCKET_PATH: usize = 103;

const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');
