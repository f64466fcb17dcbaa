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

/// A `redis-server` process of its own, on a unix socket in a temporary folder, with no TCP port.
///
/// Process and folder end with the value, and also when this process ends without dropping it, as after
/// `SIGKILL`. The process is in a group of its own, so that a terminal's Ctrl-C reaches the owner alone,
/// who ends it in order.
///
/// The program is the one that the environment variable `SLUICEGATE_REDIS_SERVER` names, as a path or as a name on
/// the `PATH`; without it `redis-server`, or else `valkey-server`, on the `PATH`.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    socket: PathBuf,
    args: Vec<String>,
    // Last, because fields are dropped in order, and the process works in it.
    folder: TempDir,
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
        let process = Process::spawn(folder.path(), args).await?;
        let mut server = Self { process, socket, args: args.to_vec(), folder };
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
        if timeout(TIMEOUT, self.process.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends Redis at once with `SIGKILL`, as a crash would.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Ends Redis if it runs and starts it again: same folder, same socket, same options.
    ///
    /// # Errors
    ///
    /// As [`RedisServer::start`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.stop().await;
        self.process = Process::spawn(self.folder.path(), &self.args).await?;
        self.ready().await
    }

    /// Resolves when the process has ended, whatever ended it.
    ///
    /// # Errors
    ///
    /// The operating system cannot say.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    async fn ready(&mut self) -> Result<(), StartError> {
        let ready = async {
            while !socket::is_ready(&self.socket).await {
                sleep(POLL_INTERVAL).await;
            }
        };
        let reason = tokio::select! {
            outcome = timeout(TIMEOUT, ready) => match outcome {
                Ok(()) => return Ok(()),
                Err(_) => format!("no answer within {TIMEOUT:?}"),
            },
            status = self.process.wait() => status?.to_string(),
        };
        self.kill().await;
        Err(StartError::NotReady { reason, log: log::last_lines(&self.folder.path().join(process::LOG)) })
    }
}

const TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// `sun_path` has 108 bytes on Linux and 104 on macOS, with the final zero.
const MAX_SOCKET_PATH: usize = 103;

const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');
