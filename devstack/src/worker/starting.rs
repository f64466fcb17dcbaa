//! From a process to a Worker that answers.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use super::{Follow, Log, Worker, WorkerError, WorkerOptions, command, crash, group::Group};

/// wrangler, on its way.
pub(super) struct Starting {
    group: Group,
    pub(super) log: Log,
    scratch: TempDir,
}

impl Starting {
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

    pub(super) async fn ready(mut self, options: WorkerOptions) -> Result<Worker, WorkerError> {
        let patience = options.patience;
        let deadline = Instant::now() + patience;
        let address = tokio::select! {
            address = timeout_at(deadline, answering(self.log.follow())) => address.ok(),
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
