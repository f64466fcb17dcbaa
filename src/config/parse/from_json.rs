//! The two entrances of the parser: a whole configuration, and a single plan.

use serde::Deserialize;
use serde_json::Value;

use super::config::RawConfig;
use super::deserializer::Input;
use super::plan::RawPlan;
use crate::config::config::Config;
use crate::config::error::ConfigError;
use crate::config::json;
use crate::limit::Plan;

impl Config {
    /// Parses a configuration from the text of a JSON object.
    ///
    /// # Errors
    /// Returns [`ConfigError`] if the text is not JSON, a key appears twice in an object, a field is unknown or missing,
    /// or a value is invalid.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let value = json::parse(text.as_bytes()).map_err(|error| ConfigError::from(error).or_at(ROOT))?;
        let raw: RawConfig = deserialize(&value).map_err(|error| error.or_at(ROOT))?;
        raw.validate()
    }
}

/// Parses a plan: an object with `limits`, as in a configuration. Errors have paths below `path`, which may be empty.
///
/// # Errors
/// Fails as [`Config::from_json`] does.
pub fn plan_from_value(value: &Value, path: &str) -> Result<Plan, ConfigError> {
    let raw: RawPlan = deserialize(value).map_err(|error| error.below(path))?;
    raw.validate(path)
}

/// Deserializes a `T`. The path of an error is empty if the value as a whole is wrong.
fn deserialize<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, ConfigError> {
    T::deserialize(Input(value)).map_err(|problem| ConfigError::new(problem.path, problem.text))
}

/// The path of the configuration as a whole.
const ROOT: &str = "SLUICEGATE";

#[cfg(test)]
mod tests;
