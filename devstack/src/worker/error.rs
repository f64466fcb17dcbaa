//! Why a Worker does not run.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

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
    /// workerd ended before the Worker answered.
    #[error("workerd crashed before the Worker answered; wrangler wrote:{log}")]
    Crashed {
        /// The last lines wrangler wrote, each on a line of its own.
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

/// A Worker that ran has come to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkerDeath {
    /// wrangler ended.
    #[error("wrangler ended, {0}")]
    Ended(ExitStatus),
    /// workerd ended. wrangler goes on, and starts it again, but from then on it answers no request.
    #[error("workerd crashed")]
    Crashed,
    /// The system cannot say how wrangler ended.
    #[error("wrangler is lost")]
    Lost(#[source] io::Error),
}
