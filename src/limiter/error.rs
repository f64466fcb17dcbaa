//! Why a check has no verdict.

use crate::limit::InvalidCheck;
use crate::redis::RedisError;

/// The error of a check that has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The check is invalid. Redis was not called.
    #[error(transparent)]
    Invalid(#[from] InvalidCheck),
    /// Redis failed or sent an invalid reply. If the [outcome is unknown](RedisError::outcome_is_unknown), the
    /// requests may or may not have been charged.
    #[error(transparent)]
    Redis(#[from] RedisError),
}
