//! The process of a bare workerd.

use std::{
    fs::{self, File},
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use serde::Deserialize;
use sluicegate_bridge::Guard;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::{
    config::{Config, SOCKET},
    module::Code,
};

/// A workerd that serves one Worker until the value is dropped, or this process ends in any way.
#[derive(Debug)]
pub struct Workerd {
    // Fields are dropped in this order: the guard must outlive the process, and the folder both.
    child: Child,
    process: u32,
    address: SocketAddr,
    inspector: Option<SocketAddr>,
    _guard: Guard,
    folder: TempDir,
}

impl Workerd {
    /// Runs workerd, the program at `program`, in a temporary folder and waits until it listens.
    ///
    /// # Errors
    ///
    /// Fails if workerd cannot be run, exits, or does not listen within 20 s.
    pub async fn start(program: &Path, config: &Config) -> Result<Self, WorkerdError> {
        let folder = tempfile::Builder::new().prefix("sluicegate-workerd-").tempdir()?;
        let mut guard = Guard::new(folder.path())?;
        for module in &config.modules {
            let (Code::Script(code) | Code::Wasm(code)) = &module.code;
            fs::write(folder.path().join(module.name), code)?;
        }
        fs::write(folder.path().join(CONFIG), config.text())?;
        let mut child = Command::new(program)
            .args(["serve", CONFIG, "--control-fd=1"])
            .args(config.inspector.then_some("--inspector-addr=127.0.0.1:0"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log(folder.path())?)
            .kill_on_drop(true)
            // Keeps the terminal's Ctrl-C away from it.
            .process_group(0)
            .spawn()?;
        let process = child.id().ok_or_else(|| io::Error::other("it ended at once"))?;
        guard.watch(process)?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let not_ready = |reason| WorkerdError::NotReady { reason, log: tail(&read_log(folder.path())) };
        let ports = match timeout(PATIENCE, ports(&mut lines)).await {
            Ok(ports) => ports?.ok_or_else(|| not_ready("it ended".to_owned()))?,
            Err(_) => return Err(not_ready(format!("it does not listen after {PATIENCE:?}"))),
        };
        let mut log = log(folder.path())?;
        tokio::spawn(async move {
            while let Ok(Some(mut line)) = lines.next_line().await {
                // In one write, because workerd writes to the same file. The pipe must be read also if the line is lost: a
                // full one would block workerd.
                line.push('\n');
                drop(log.write_all(line.as_bytes()));
            }
        });
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (address, inspector) = (address(ports.http), ports.inspector.map(address));
        Ok(Self { child, process, address, inspector, _guard: guard, folder })
    }

    /// Returns the address at which it serves HTTP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the inspector, if it is served.
    #[must_use]
    pub fn inspector(&self) -> Option<SocketAddr> {
        self.inspector
    }

    /// Returns the id of the process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Returns what workerd and the Worker have written to standard output and standard error.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    /// Returns the end of the log as one line.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log())
    }

    /// Kills the process and waits until it has ended.
    pub async fn stop(mut self) {
        // Fails only if the process is gone.
        let _ = self.child.kill().await;
    }
}

/// A workerd that did not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerdError {
    /// The process or its files cannot be created.
    #[error("workerd cannot be run: {0}")]
    Io(#[from] io::Error),
    /// The process does not serve.
    #[error("workerd did not start: {reason}: {log}")]
    NotReady {
        /// What was observed.
        reason: String,
        /// The end of its log.
        log: String,
    },
}

/// A line on workerd's control channel.
#[derive(Deserialize)]
struct Report {
    event: String,
    socket: Option<String>,
    port: Option<u16>,
}

/// The ports that workerd has chosen.
struct Ports {
    http: u16,
    inspector: Option<u16>,
}

/// Waits until workerd reports its ports; `None` if the output ends first. The inspector's is the first.
async fn ports(lines: &mut Lines<BufReader<ChildStdout>>) -> io::Result<Option<Ports>> {
    let mut inspector = None;
    while let Some(line) = lines.next_line().await? {
        let Ok(Report { event, socket, port: Some(port) }) = serde_json::from_str(&line) else { continue };
        match (&*event, socket.as_deref()) {
            ("listen-inspector", _) => inspector = Some(port),
            ("listen", Some(SOCKET)) => return Ok(Some(Ports { http: port, inspector })),
            _ => {}
        }
    }
    Ok(None)
}

/// Opens the log, to which both outputs of workerd are appended.
fn log(folder: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(folder.join(LOG))
}

fn read_log(folder: &Path) -> String {
    let log = fs::read(folder.join(LOG)).unwrap_or_default();
    String::from_utf8_lossy(&log).into_owned()
}

/// Returns the last lines of a log as one line.
fn tail(log: &str) -> String {
    let lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut last: Vec<_> = lines.rev().take(TAIL_LINES).collect();
    if last.is_empty() {
        return "its log is empty".to_owned();
    }
    last.reverse();
    last.join(" | ")
}

const CONFIG: &str = "config.capnp";
const LOG: &str = "log";
const TAIL_LINES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        assert_eq!(tail("1\n2\n\n3\n  4\n"), "2 | 3 | 4");
        assert_eq!(tail("\n"), "its log is empty");
    }
}
