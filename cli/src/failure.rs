//! The errors of a command.

use crate::output::Output;
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
    /// Returns what is printed: with `json` the problem document of the API, otherwise its text.
    pub(crate) fn output(&self, json: bool) -> Output {
        let stderr = match self {
            Failure::Refused(problem) if json => format!("{:#}\n", problem.json),
            _ => format!("sluicegate: {self}\n"),
        };
        Output::new(String::new(), stderr, self.exit_code())
    }

    /// `npx` cannot be run.
    pub(crate) fn no_npx(problem: &str) -> Self {
        Failure::Usage(format!(
            "npx cannot be run: {problem} (install Node.js, and run `npm ci` where wrangler is pinned)"
        ))
    }

    /// wrangler has failed, and has printed this.
    pub(crate) fn of_wrangler(stdout: &str, stderr: &str) -> Self {
        Failure::NoAnswer(format!("wrangler failed: {}", if stderr.is_empty() { stdout } else { stderr }))
    }

    fn exit_code(&self) -> u8 {
        match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NoAnswer(_) => 3,
        }
    }
}
