//! Why a private Redis did not start.

use std::{io, path::PathBuf};

/// Why a private Redis did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Neither `redis-server` nor `valkey-server` is on the `PATH`, or `SLUICEGATE_REDIS_SERVER` names what is not there.
    #[error("{program} not found (install the package redis-server, or name the program in SLUICEGATE_REDIS_SERVER)")]
    NotInstalled {
        /// What was looked for.
        program: String,
    },
    /// The temporary folder or the process could not be made.
    #[error("cannot start redis-server: {0}")]
    Io(#[from] io::Error),
    /// The path of the temporary folder is too long for a unix socket.
    #[error("path too long for a unix socket: {} (set TMPDIR to a shorter one)", .0.display())]
    SocketPath(PathBuf),
    /// Redis ended at once, or did not answer.
    #[error("redis-server did not start: {reason}: {log}")]
    NotReady {
        /// Its exit status, or how long it was waited for.
        reason: String,
        /// The end of its log.
        log: String,
    },
}
