//! The error of an invalid limit or plan, and the bound of all numbers.

/// The error of an invalid limit or plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidLimit {
    /// The invalid field, as it is named in the configuration.
    pub field: &'static str,
    /// What is wrong with the field.
    pub problem: String,
}

impl InvalidLimit {
    pub(super) fn new(field: &'static str, problem: String) -> Self {
        InvalidLimit { field, problem }
    }
}

/// 2^53 - 1, the bound of every number in a script: Lua has only doubles, which hold every integer up to 2^53
/// exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;
