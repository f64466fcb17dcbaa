//! A workerd process that serves one Worker.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::Deserialize;
use sluicegate_bridge::Guard;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::config::SOCKET;

/// A running workerd; ends with the value.
#[derive(Debug)]
pub(crate) struct Workerd {
    child: Child,
    process: u32,
    address: SocketAddr,
    log: PathBuf,
}

impl Workerd {
    /// Runs `program` in `folder`, whose `config.capnp` says what to serve, and waits until it listens.
    ///
    /// # Errors
    ///
    /// It cannot be run, ends, or does not listen in time.
    pub(crate) async fn start(program: &Path, folder: &Path, guard: &mut Guard) -> Result<Self, WorkerdError> {
        let log = folder.join("log");
        let mut child = Command::new(program)
            .args(["serve", CONFIG, "--control-fd=1"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .process_group(0)
            .spawn()?;
        let process = child.id().ok_or_else(|| io::Error::other("it ended at once"))?;
        guard.watch(process)?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let port = match timeout(PATIENCE, port(&mut lines)).await {
            Ok(Ok(Some(port))) => port,
            Ok(Ok(None)) => return Err(WorkerdError::NotReady { reason: "it ended".to_owned(), log: end(&log) }),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                let reason = format!("it does not listen after {PATIENCE:?}");
                return Err(WorkerdError::NotReady { reason, log: end(&log) });
            }
        };
        // Read on, or workerd would stop at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), log })
    }

    /// Where it serves HTTP.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process number.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// The end of what it has written to standard error, as one line.
    pub(crate) fn log(&self) -> String {
        end(&self.log)
    }

    /// Ends it and waits until it has ended.
    pub(crate) async fn stop(mut self) {
        // Fails only if the process is gone.
        let _ = self.child.kill().await;
    }
}

/// A workerd that did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerdError {
    /// No process, or no files for it.
    #[error("workerd cannot be run: {0}")]
    Io(#[from] io::Error),
    /// It does not serve.
    #[error("workerd did not start: {reason}: {log}")]
    NotReady {
        /// What was seen.
        reason: String,
        /// The end of its log.
        log: String,
    },
}

/// The configuration's file in the folder of a workerd.
pub(crate) const CONFIG: &str = "config.capnp";

/// What workerd reports on its control channel.
#[derive(Deserialize)]
struct Report {
    event: String,
    socket: Option<String>,
    port: Option<u16>,
}

/// The port it listens at, once it says so; none if it ends before.
async fn port(lines: &mut Lines<BufReader<ChildStdout>>) -> io::Result<Option<u16>> {
    while let Some(line) = lines.next_line().await? {
        if let Ok(Report { event, socket: Some(socket), port: Some(port) }) = serde_json::from_str(&line)
            && event == "listen"
            && socket == SOCKET
        {
            return Ok(Some(port));
        }
    }
    Ok(None)
}

/// The last lines of a log.
fn end(path: &Path) -> String {
    let log = fs::read(path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.get(lines.len().saturating_sub(LOG_LINES)..) {
        Some([]) | None => "its log is empty".to_owned(),
        Some(last) => last.join(" | "),
    }
}

const LOG_LINES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);
