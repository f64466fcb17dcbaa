//! Why a command has no result.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::problem::Problem;

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Something is missing or impossible that the caller gave.
    #[error("{0}")]
    Usage(String),
    /// The Worker said no.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The Worker cannot be reached, or what answers is not it.
    #[error("{0}")]
    NoAnswer(String),
}

impl Failure {
    /// Documented in `sluicegate --help`.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NoAnswer(_) => 3,
        })
    }

    /// Writes to standard error: for programs the problem as the API told it, for people its text.
    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut stderr = anstream::stderr().lock();
        match self {
            Failure::Refused(problem) if json => writeln!(stderr, "{:#}", problem.json),
            _ => writeln!(stderr, "sluicegate: {self}"),
        }
    }
}
