//! Why a limit or a plan is invalid.

/// A number or a name that a policy cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidLimit {
    /// The field of the configuration that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl InvalidLimit {
    pub(super) fn new(field: &'static str, problem: String) -> Self {
        InvalidLimit { field, problem }
    }
}

/// 2^53 - 1: up to here a double, which is all that a Lua script has, holds every integer and its successor.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;
