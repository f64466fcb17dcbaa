//! Why a check has no verdict.

use crate::limit::InvalidCheck;
use crate::redis::RedisError;

/// No verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The question has no answer; Redis was not asked.
    #[error(transparent)]
    Invalid(#[from] InvalidCheck),
    /// Redis could not be asked, or its answer is none. After an error that
    /// [leaves the outcome unknown](RedisError::outcome_is_unknown) it is unknown whether the requests were charged.
    #[error(transparent)]
    Redis(#[from] RedisError),
}
