//! A Worker that runs.

use std::{net::SocketAddr, path::PathBuf};

use tempfile::TempDir;

use super::{
    command::STATE,
    error::{WorkerDeath, WorkerError},
    group::Group,
    log::Log,
    options::WorkerOptions,
    starting::{Started, Starting},
    wrangler_lines::crash,
};
use crate::endpoint::endpoint;

/// A Worker that runs until it is stopped or dropped; wrangler, workerd and esbuild end with it.
#[derive(Debug)]
pub struct Worker {
    options: WorkerOptions,
    address: SocketAddr,
    log: Log,
    group: Group,
    scratch: TempDir,
}

endpoint!(Worker, address);

impl Worker {
    /// Starts the Worker and waits until it responds to `GET /_sluicegate/health`, with whatever status.
    ///
    /// # Errors
    ///
    /// Fails if wrangler is not installed, exits, or is not ready in time; the error quotes its output.
    pub async fn start(options: WorkerOptions) -> Result<Self, WorkerError> {
        Self::start_and_show(options, |_| {}).await
    }

    /// Starts the Worker as [`Worker::start`] does, and calls `show` with the log as soon as there is one.
    ///
    /// # Errors
    ///
    /// Fails as [`Worker::start`] does.
    pub async fn start_and_show(options: WorkerOptions, show: impl FnOnce(&Log)) -> Result<Self, WorkerError> {
        let starting = Starting::spawn(&options)?;
        show(&starting.log);
        let Started { address, log, group, scratch } = starting.ready(options.patience).await?;
        Ok(Self { options, address, log, group, scratch })
    }

    /// Returns what wrangler and the Worker have written since the last start.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Returns the folder of its local storage (`--persist-to`). A restart empties it.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.scratch.path().join(STATE)
    }

    /// Returns the process group of wrangler and all its children; `None` once it has ended.
    #[must_use]
    pub fn process_group(&self) -> Option<u32> {
        self.group.id()
    }

    /// Stops it and waits until all its processes have ended.
    pub async fn stop(&mut self) {
        self.group.stop().await;
    }

    /// Stops it and starts it again at the same address, with new isolates.
    ///
    /// # Errors
    ///
    /// Fails as [`Worker::start`] does.
    pub async fn restart(&mut self) -> Result<(), WorkerError> {
        self.stop().await;
        self.options.port = self.address.port();
        *self = Self::start(self.options.clone()).await?;
        Ok(())
    }

    /// Waits until it can no longer respond, because wrangler or workerd has ended, and returns why.
    ///
    /// After a crash of workerd, wrangler still runs; [`Worker::stop`] ends it.
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
