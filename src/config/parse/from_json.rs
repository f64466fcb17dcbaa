//! JSON to a configuration.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::config::RawConfig;
use super::fields::Object;
use super::plan::RawPlan;
use crate::config::config::Config;
use crate::config::error::ConfigError;
use crate::limit::Plan;

/// Reads a plan, an object with `limits` as it stands in a configuration. `path` is where it stands, for the errors;
/// it may be empty.
///
/// # Errors
/// As [`Config::from_json`].
pub fn plan_from_value(value: &Value, path: &str) -> Result<Plan, ConfigError> {
    let raw: RawPlan = deserialize(value.clone()).map_err(|error| error.below(path))?;
    raw.validate(path)
}

/// Reads an object as a `T`. The path of an error is empty where the value as a whole is wrong.
fn deserialize<T: DeserializeOwned>(value: Value) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(value).map(|Object(raw)| raw).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        ConfigError::new(path, error.into_inner().to_string())
    })
}

/// The path of the configuration as a whole.
const ROOT: &str = "SLUICEGATE";

impl Config {
    /// Reads a configuration from the text of a JSON object.
    ///
    /// # Errors
    /// When the text is not JSON, a field is unknown or missing, or a value is impossible.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| ConfigError::new(ROOT, format!("is not JSON: {error}")))?;
        let raw: RawConfig = deserialize(value).map_err(|error| error.or_at(ROOT))?;
        raw.validate()
    }
}

#[cfg(test)]
mod tests;
