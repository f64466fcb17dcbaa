//! The errors of starting a private Redis.

use std::{io, path::PathBuf};

/// An error that prevents a private Redis from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Neither `redis-server` nor `valkey-server` is on the `PATH`, or the program in
    /// `SLUICEGATE_REDIS_SERVER` does not exist.
    #[error("{program} not found (install the package redis-server, or name the program in SLUICEGATE_REDIS_SERVER)")]
    NotInstalled {
        /// The missing program.
        program: String,
    },
    /// The temporary folder or the process could not be created.
    #[error("cannot start redis-server: {0}")]
    Io(#[from] io::Error),
    /// The path of the temporary folder is too long for a unix socket.
    #[error("path too long for a unix socket: {} (set TMPDIR to a shorter one)", .0.display())]
    SocketPath(PathBuf),
    /// Redis exited during its start or did not reply.
    #[error("redis-server did not start: {reason}: {log}")]
    NotReady {
        /// Its exit status, or that it did not reply in time.
        reason: String,
        /// The last lines of its log.
        log: String,
    },
}
