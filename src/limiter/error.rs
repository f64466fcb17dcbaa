//! Why a check has no verdict.

use crate::limit::QuestionError;
use crate::redis::RedisError;

/// No verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The question has no answer; Redis was not asked.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// Redis could not be asked, or its answer is none. After an error that
    /// [leaves it open](RedisError::leaves_it_open) it is unknown whether the requests were charged.
    #[error(transparent)]
    Redis(#[from] RedisError),
}
