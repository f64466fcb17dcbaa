//! The errors of a Worker.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// The Worker could not be started.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The JavaScript tools are not installed.
    #[error("{}: not found (run `npm install` first)", path.display())]
    NoWrangler {
        /// The path where wrangler should be.
        path: PathBuf,
    },
    /// The repository's path cannot be part of a search path.
    #[error("{}: a path with a colon cannot hold programs (move the repository)", path.display())]
    OddPath {
        /// The folder of the tools.
        path: PathBuf,
    },
    /// A process or folder could not be created.
    #[error("wrangler cannot be started")]
    Spawn(#[source] io::Error),
    /// wrangler ended before the Worker responded.
    #[error("wrangler ended before the Worker responded, {status}; it wrote:{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote, each on a line of its own.
        log: String,
    },
    /// workerd ended before the Worker responded.
    #[error("workerd crashed before the Worker responded; wrangler wrote:{log}")]
    Crashed {
        /// The last lines wrangler wrote, each on a line of its own.
        log: String,
    },
    /// The Worker did not respond in time.
    #[error("the Worker did not respond within {} s; wrangler wrote:{log}", patience.as_secs())]
    Silent {
        /// How long it had to respond.
        patience: Duration,
        /// The last lines wrangler wrote, each on a line of its own.
        log: String,
    },
}

/// The reason why a running Worker has ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkerDeath {
    /// wrangler ended.
    #[error("wrangler ended, {0}")]
    Ended(ExitStatus),
    /// workerd ended. wrangler restarts it, but no request gets a response from then on.
    #[error("workerd crashed")]
    Crashed,
    /// The system does not report how wrangler ended.
    #[error("wrangler is lost")]
    Lost(#[source] io::Error),
}
