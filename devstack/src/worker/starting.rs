//! The start of a Worker, from the process to the first response.

use std::{io, net::SocketAddr, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use super::{
    command,
    error::WorkerError,
    group::Group,
    log::{Follow, Log},
    options::WorkerOptions,
    wrangler_lines::{crash, ready},
};

/// A wrangler whose Worker does not respond yet.
pub(super) struct Starting {
    group: Group,
    pub(super) log: Log,
    scratch: TempDir,
}

/// A wrangler whose Worker has responded.
pub(super) struct Started {
    pub(super) address: SocketAddr,
    pub(super) log: Log,
    pub(super) group: Group,
    /// Holds everything wrangler writes.
    pub(super) scratch: TempDir,
}

impl Starting {
    /// Starts wrangler.
    pub(super) fn spawn(options: &WorkerOptions) -> Result<Self, WorkerError> {
        let scratch = tempfile::Builder::new().prefix("sluicegate-").tempdir().map_err(WorkerError::Spawn)?;
        std::fs::create_dir(scratch.path().join("tmp")).map_err(WorkerError::Spawn)?;
        let wrangler = command::wrangler_dev(options, options.port, scratch.path())?;
        let command: Vec<_> = wrangler.command.iter().map(AsRef::as_ref).collect();
        let mut group =
            Group::spawn(&command, &options.root, scratch.path(), &wrangler.environment).map_err(WorkerError::Spawn)?;
        let (out, err) = group.take_output().ok_or_else(|| WorkerError::Spawn(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { group, log: Log::collect(out, err), scratch })
    }

    /// Waits until the Worker responds, or stops wrangler after `patience`.
    pub(super) async fn ready(mut self, patience: Duration) -> Result<Started, WorkerError> {
        let deadline = Instant::now() + patience;
        let address = tokio::select! {
            address = timeout_at(deadline, responding(self.log.follow())) => address.ok(),
            status = self.group.wait() => {
                let status = status.map_err(WorkerError::Spawn)?;
                return Err(WorkerError::Ended { status, log: self.last_lines().await });
            }
            () = crash(self.log.follow()) => {
                self.group.stop().await;
                return Err(WorkerError::Crashed { log: self.last_lines().await });
            }
        };
        if let Some(address) = address {
            Ok(Started { address, log: self.log, group: self.group, scratch: self.scratch })
        } else {
            self.group.stop().await;
            Err(WorkerError::Silent { patience, log: self.last_lines().await })
        }
    }

    /// Waits until the process has ended and returns the end of its log, indented.
    async fn last_lines(&self) -> String {
        let mut follow = self.log.follow();
        while follow.next().await.is_some() {}
        let lines = self.log.lines();
        let texts: Vec<_> =
            lines.iter().map(|line| line.text.as_str()).filter(|line| !line.trim().is_empty()).collect();
        let last = texts.len().saturating_sub(LINES_QUOTED);
        texts.iter().skip(last).flat_map(|line| ["\n    ", line]).collect()
    }
}

/// Waits until wrangler names the address and a request there gets a response.
async fn responding(lines: Follow) -> SocketAddr {
    let address = ready(lines).await;
    while !responds(address).await {
        sleep(POLL).await;
    }
    address
}

/// Returns whether a request gets any HTTP response.
async fn responds(address: SocketAddr) -> bool {
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

/// The number of log lines that an error quotes.
const LINES_QUOTED: usize = 40;
