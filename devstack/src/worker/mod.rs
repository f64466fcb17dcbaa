//! The Worker, in workerd, run by `wrangler dev`.

mod command;
mod group;
mod log;
mod members;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitStatus,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use group::Group;
pub use log::{Follow, Line, Log, Output};

/// What to run and how.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The repository: its `node_modules` has wrangler, and a `[build]` command runs there.
    pub root: PathBuf,
    /// wrangler's configuration file.
    pub config: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Variables that win over the configuration and over `env_file`. Everybody on the machine can read them.
    pub vars: Vec<(String, String)>,
    /// A file of secrets, instead of `.dev.vars` beside the configuration.
    pub env_file: Option<PathBuf>,
    /// More environment variables for wrangler and the `[build]` command.
    pub environment: Vec<(String, String)>,
    /// How long building and starting may take.
    pub patience: Duration,
}

impl WorkerOptions {
    /// Runs the configuration at `config` with the tools of the repository at `root`, on a free port.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, config: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            config: config.into(),
            port: 0,
            vars: Vec::new(),
            env_file: None,
            environment: Vec::new(),
            patience: Duration::from_mins(2),
        }
    }
}

/// A Worker that runs until it is stopped or dropped; then wrangler, workerd and esbuild are gone.
#[derive(Debug)]
pub struct Worker {
    options: WorkerOptions,
    address: SocketAddr,
    log: Log,
    group: Group,
    _scratch: TempDir,
}

impl Worker {
    /// Starts the Worker and waits until it answers `GET /_sluicegate/health`, whatever it answers.
    ///
    /// # Errors
    ///
    /// wrangler is not installed, ended by itself, or was not ready in time; the error tells what it wrote.
    pub async fn start(options: WorkerOptions) -> Result<Self, WorkerError> {
        let starting = Starting::spawn(&options)?;
        starting.ready(options).await
    }

    /// Like [`Worker::start`], and calls `show` with the log as soon as there is one.
    ///
    /// # Errors
    ///
    /// As [`Worker::start`].
    pub async fn start_and_show(options: WorkerOptions, show: impl FnOnce(&Log)) -> Result<Self, WorkerError> {
        let starting = Starting::spawn(&options)?;
        show(&starting.log);
        starting.ready(options).await
    }

    /// Where it listens, also while it is stopped.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What wrangler and the Worker have written since the last start.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The process group of wrangler and all its children; `None` once it has ended.
    #[must_use]
    pub fn process_group(&self) -> Option<u32> {
        self.group.id()
    }

    /// Ends it and waits until it has ended.
    pub async fn stop(&mut self) {
        self.group.stop().await;
    }

    /// Starts it anew at the same address, with empty isolates.
    ///
    /// # Errors
    ///
    /// As [`Worker::start`].
    pub async fn restart(&mut self) -> Result<(), WorkerError> {
        self.stop().await;
        self.options.port = self.address.port();
        *self = Self::start(self.options.clone()).await?;
        Ok(())
    }

    /// Waits until wrangler ends by itself.
    ///
    /// # Errors
    ///
    /// The system cannot wait for it.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.group.wait().await
    }
}

/// The Worker could not be started.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The JavaScript tools are not installed.
    #[error("{}: not found (run `npm ci` in the repository first)", path.display())]
    NoWrangler {
        /// Where wrangler should be.
        path: PathBuf,
    },
    /// A search path cannot hold the repository's path.
    #[error("{}: a path with a colon cannot hold programs (move the repository)", path.display())]
    OddPath {
        /// The folder of the tools.
        path: PathBuf,
    },
    /// No process or folder could be made.
    #[error("wrangler cannot be started")]
    Spawn(#[source] io::Error),
    /// wrangler ended before the Worker answered.
    #[error("wrangler ended before the Worker answered, {status}; it wrote:{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote, each on a line of its own.
        log: String,
    },
    /// The Worker did not answer in time.
    #[error("the Worker did not answer within {} s; wrangler wrote:{log}", patience.as_secs())]
    Silent {
        /// How long it was given.
        patience: Duration,
        /// The last lines wrangler wrote, each on a line of its own.
        log: String,
    },
}

struct Starting {
    group: Group,
    log: Log,
    scratch: TempDir,
}

impl Starting {
    fn spawn(options: &WorkerOptions) -> Result<Self, WorkerError> {
        let scratch = tempfile::Builder::new().prefix("sluicegate-").tempdir().map_err(WorkerError::Spawn)?;
        std::fs::create_dir(scratch.path().join("tmp")).map_err(WorkerError::Spawn)?;
        let wrangler = command::wrangler_dev(options, options.port, scratch.path())?;
        let command: Vec<_> = wrangler.command.iter().map(AsRef::as_ref).collect();
        let mut group =
            Group::spawn(&command, &options.root, scratch.path(), &wrangler.environment).map_err(WorkerError::Spawn)?;
        let (out, err) = group.take_output().ok_or_else(|| WorkerError::Spawn(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { group, log: Log::collect(out, err), scratch })
    }

    async fn ready(mut self, options: WorkerOptions) -> Result<Worker, WorkerError> {
        let patience = options.patience;
        let deadline = Instant::now() + patience;
        let address = tokio::select! {
            address = timeout_at(deadline, answering(self.log.follow())) => address.ok(),
            status = self.group.wait() => {
                let status = status.map_err(WorkerError::Spawn)?;
                return Err(WorkerError::Ended { status, log: self.last_lines().await });
            }
        };
        if let Some(address) = address {
            Ok(Worker { options, address, log: self.log, group: self.group, _scratch: self.scratch })
        } else {
            self.group.stop().await;
            Err(WorkerError::Silent { patience, log: self.last_lines().await })
        }
    }

    /// The end of the log, indented, once the process is gone.
    async fn last_lines(&self) -> String {
        let mut follow = self.log.follow();
        while follow.next().await.is_some() {}
        let lines = self.log.lines();
        let written: Vec<_> =
            lines.iter().map(|line| line.text.as_str()).filter(|line| !line.trim().is_empty()).collect();
        let last = written.len().saturating_sub(LINES_TOLD);
        written.iter().skip(last).flat_map(|line| ["\n    ", line]).collect()
    }
}

/// Waits for the address wrangler names and for the first answer there.
async fn answering(mut lines: Follow) -> SocketAddr {
    let address = loop {
        match lines.next().await {
            Some(line) => {
                if let Some(address) = address_in(&line.text) {
                    break address;
                }
            }
            // wrangler is ending, and how it ends is for somebody else to see.
            None => std::future::pending().await,
        }
    };
    while !answers(address).await {
        sleep(POLL).await;
    }
    address
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once("Ready on http://")?;
    let (_, port) = url.trim().rsplit_once(':')?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)))
}

/// Whether a request gets any HTTP answer.
async fn answers(address: SocketAddr) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /_sluicegate/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut beginning = [0; 5];
        stream.read_exact(&mut beginning).await?;
        io::Result::Ok(&beginning == b"HTTP/")
    };
    exchange.await.unwrap_or(false)
}

const POLL: Duration = Duration::from_millis(50);

/// Lines of the log an error tells.
const LINES_TOLD: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_wrangler_names() {
        let expected = Some(SocketAddr::from(([127, 0, 0, 1], 40_995)));
        assert_eq!(address_in("[wrangler:info] Ready on http://127.0.0.1:40995"), expected);
        assert_eq!(address_in("[wrangler:info] Ready on http://localhost:40995 "), expected);
        assert_eq!(address_in("Starting local server..."), None);
    }
}
