//! Why a run failed.

use sluicegate_bench::{contender::Contender, counters::CountersError, load::LoadError, stage::StageError};

/// A measurement that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// A response was wrong.
    #[error("{} at {connections} connections: {source} (its log: {log})", contender.name())]
    Load {
        /// The contender.
        contender: Contender,
        /// The number of connections.
        connections: usize,
        /// What is wrong.
        source: LoadError,
        /// The end of its log.
        log: String,
    },
    /// The counters.
    #[error(transparent)]
    Counters(#[from] CountersError),
    /// A process did not start.
    #[error(transparent)]
    Stage(#[from] StageError),
}
