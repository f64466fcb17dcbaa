//! The Worker, in workerd, run by `wrangler dev`.

mod command;
mod error;
mod group;
mod log;
mod members;
mod options;
mod starting;

use std::net::SocketAddr;

use tempfile::TempDir;

pub use error::{WorkerDeath, WorkerError};
use group::Group;
pub use log::{Follow, Line, Log, Output};
pub use options::WorkerOptions;
use starting::Starting;

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

    /// Waits until it can no longer answer, and says why: wrangler has ended, or workerd has.
    ///
    /// After a crash of workerd wrangler still runs; [`Worker::stop`] ends it.
    pub async fn wait(&mut self) -> WorkerDeath {
        tokio::select! {
            status = self.group.wait() => match status {
                Ok(status) => WorkerDeath::Ended(status),
                Err(error) => WorkerDeath::Lost(error),
            },
            () = crash(self.log.follow()) => WorkerDeath::Crashed,
        }
    }
}

/// Waits for the line in which wrangler says that workerd has ended unexpectedly. When wrangler stops workerd itself,
/// to reload the Worker or to end, it says no such thing.
async fn crash(mut lines: Follow) {
    loop {
        match lines.next().await {
            Some(Line { text, .. }) if text.contains(CRASHED) => return,
            Some(_) => {}
            // wrangler is ending, and how it ends is for somebody else to see.
            None => std::future::pending().await,
        }
    }
}

const CRASHED: &str = "[wrangler:warn] The Workers runtime crashed";
