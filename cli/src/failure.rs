//! The errors of a command.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::problem::Problem;

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An argument or a variable is missing or invalid.
    #[error("{0}")]
    Usage(String),
    /// The Worker refused the request.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The Worker is unreachable, or the response is not from sluicegate.
    #[error("{0}")]
    NoAnswer(String),
}

impl Failure {
    /// Returns the exit code, documented in `sluicegate --help`.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NoAnswer(_) => 3,
        })
    }

    /// Writes to standard error: with `json` the problem document of the API, otherwise its text.
    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut stderr = anstream::stderr().lock();
        match self {
            Failure::Refused(problem) if json => writeln!(stderr, "{:#}", problem.json),
            _ => writeln!(stderr, "sluicegate: {self}"),
        }
    }
}
