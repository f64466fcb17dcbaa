//! The result of a validation, and what it needs of its caller.

use serde_json::Value;

/// What was found in a file.
#[derive(Debug)]
pub struct Validation {
    /// Whether the file has no problem. Warnings do not count.
    pub valid: bool,
    /// For people: a line for each problem and warning, and what was not checked.
    pub text: String,
    /// For programs: the same.
    pub json: Value,
    /// For each environment whose configuration was found, the module that is deployed with its Worker.
    pub modules: Vec<String>,
}

/// Reads a file next to the validated one, by the name that it has there. Returns the reason if that fails.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;
