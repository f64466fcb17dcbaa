//! The operator's configuration: JSON to [`Config`], or what is wrong and where.
//!
//! This is the only place that deserializes what an operator wrote. Unknown fields are errors, and
//! every message starts with the path of its field.

mod limit;
mod object;
mod raw;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::policy::{Clock, OnOutage, Plan, PolicyError};
use crate::routes::Routes;
use crate::time::Millis;
use object::Object;
use raw::{RawConfig, RawPlan};

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What identifies a client, the first that applies.
    pub identify: Vec<Identify>,
    /// Where an API key may stand, the first that is there.
    pub api_key_from: Vec<KeySource>,
    /// How many leading bits of an IPv6 address make one client.
    pub ipv6_prefix: u8,
    /// What a failure of Redis means.
    pub on_outage: OnOutage,
    /// The longest time that one round trip to Redis may take.
    pub timeout: Millis,
    /// Whose clock judges.
    pub clock: Clock,
    /// Which spelling of the scripts Redis gets.
    pub scripts: Scripts,
    /// How long a tenant's document is used before it is read again.
    pub tenant_ttl: Millis,
    /// How many tenants an isolate remembers.
    pub tenant_cache: usize,
    /// Whether the usage of tenants is counted.
    pub usage: bool,
    /// One log line for every so many requests that pass; 0: none.
    pub log_allowed_one_in: u64,
    /// The plans by name.
    pub plans: BTreeMap<String, Plan>,
    /// The plan of a subject that has no other.
    pub default_plan: Plan,
    /// What holds for some requests only.
    pub routes: Routes,
    /// Whether an API key matters to any request.
    reads_keys: bool,
}

/// A way to tell who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identify {
    /// By API key: the tenant whose it is.
    ApiKey,
    /// By the client's address.
    Address,
}

/// A place in a request where an API key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// `Authorization: Bearer KEY`.
    Authorization,
    /// `X-API-Key: KEY`.
    XApiKey,
}

impl KeySource {
    /// The name of the header.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            KeySource::Authorization => "authorization",
            KeySource::XApiKey => "x-api-key",
        }
    }

    /// The key in the header's value. What is no key of ours, such as a token for the origin, is none.
    #[must_use]
    pub fn key_in(self, value: &str) -> Option<String> {
        let key = match self {
            KeySource::Authorization => {
                let (scheme, credentials) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then_some(credentials)?
            }
            KeySource::XApiKey => value,
        };
        Some(key.trim()).filter(|key| key.starts_with(KEY_PREFIX)).map(str::to_owned)
    }
}

/// Which spelling of the scripts Redis gets: see [`crate::script::Spelling`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scripts {
    /// By the host's name: Upstash's own hosts get the key-locking one.
    #[default]
    Auto,
    /// As the files are, for Redis and Valkey.
    Plain,
    /// With Upstash's flag line, so that scripts of different subjects run side by side.
    KeyLocking,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// The path of the field, for example `plans.pro.limits[1].window`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

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

    /// Where an API key may stand: nowhere, if none matters to any request.
    #[must_use]
    pub fn key_sources(&self) -> &[KeySource] {
        if self.reads_keys { &self.api_key_from } else { &[] }
    }
}

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

impl ConfigError {
    fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        ConfigError { path: path.into(), problem: problem.into() }
    }

    /// This error, of something inside what stands at `path`.
    fn below(mut self, path: &str) -> Self {
        self.path = joined(path, &self.path);
        self
    }

    /// This error, at `path` if it has no place.
    fn or_at(mut self, path: &str) -> Self {
        if self.path.is_empty() {
            path.clone_into(&mut self.path);
        }
        self
    }
}

impl PolicyError {
    /// This error, of a field of what stands at `path`.
    fn below(self, path: &str) -> ConfigError {
        ConfigError::new(joined(path, self.field), self.problem)
    }
}

/// The path of `field` in what stands at `path`; either may be empty.
fn joined(path: &str, field: &str) -> String {
    let dot = if path.is_empty() || field.is_empty() { "" } else { "." };
    format!("{path}{dot}{field}")
}

/// How every API key begins.
pub const KEY_PREFIX: &str = "sgk_";

/// The path of the configuration as a whole.
const ROOT: &str = "SLUICEGATE";
