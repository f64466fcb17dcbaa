//! The variables of a Worker, checked with the Worker's own parser.

use serde_json::{Map, Value};
use sluicegate::config::environment::{ADMIN_TOKEN, CONFIG, Environment, ORIGIN, REDIS_TOKEN, REDIS_URL};
use sluicegate::config::{ConfigError, is_origin_secret};

use super::config_text::ConfigText;
use super::finding::Finding;

/// The variables of an environment and their path in the file.
pub(crate) struct Variables {
    pub(crate) path: String,
    pub(crate) values: Map<String, Value>,
}

impl Variables {
    /// Adds every problem. Returns the names of the plans of the configuration, and everything if nothing has a problem.
    pub(crate) fn check(
        &self,
        config: Result<&ConfigText, &Finding>,
        problems: &mut Vec<Finding>,
    ) -> (Vec<String>, Option<Environment>) {
        let before = problems.len();
        for name in [ORIGIN, REDIS_URL] {
            problems.extend(self.read_alone(name).err().map(|error| self.finding(&error)));
        }
        problems.extend(SECRETS.into_iter().filter_map(|name| self.secret_in_file(name)));
        let plans = match config {
            Ok(config) => config.check(&self.path, problems),
            Err(problem) => {
                problems.push(problem.clone());
                Vec::new()
            }
        };
        if problems.len() == before {
            // Each variable is valid on its own; the Worker reads them together.
            match self.read_all(config.ok().and_then(ConfigText::json)) {
                Ok(environment) => return (plans, Some(environment)),
                Err(error) => problems.push(self.finding(&error)),
            }
        }
        (plans, None)
    }

    /// Returns the problem if the file has this secret.
    pub(crate) fn secret_in_file(&self, name: &str) -> Option<Finding> {
        let problem =
            format!("is a secret and must not be in a file (remove it, then run `wrangler secret put {name}`)");
        self.values.contains_key(name).then(|| Finding::new(format!("{}.{name}", self.path), problem))
    }

    /// Returns the path in the file of a variable or a field of the configuration.
    pub(crate) fn path_of(&self, path: &str) -> String {
        let config = if path.starts_with(ORIGIN) { String::new() } else { format!("{CONFIG}.") };
        format!("{}.{config}{path}", self.path)
    }

    /// Returns a variable as the Worker receives it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            other => Some(other.to_string()),
        }
    }

    /// Parses one variable, with valid values for the others.
    fn read_alone(&self, name: &str) -> Result<Environment, ConfigError> {
        Environment::read(|other| if other == name { self.text(name) } else { valid_value(other) })
    }

    /// Parses all variables with this configuration, or with a valid one if it is not known.
    fn read_all(&self, config: Option<&str>) -> Result<Environment, ConfigError> {
        Environment::read(|name| match name {
            CONFIG => config.map(str::to_owned).or_else(|| valid_value(name)),
            _ if SECRETS.contains(&name) || is_origin_secret(name) => valid_value(name),
            _ => self.text(name),
        })
    }

    fn finding(&self, error: &ConfigError) -> Finding {
        Finding::new(format!("{}.{}", self.path, error.path), error.problem.as_str())
    }
}

/// Returns a valid value of a variable.
fn valid_value(name: &str) -> Option<String> {
    let value = match name {
        CONFIG => {
            r#"{"default_plan":"p","plans":{"p":{"limits":[{"name":"l","algorithm":"fixed_window","limit":1,"window":"1s"}]}}}"#
        }
        ORIGIN | REDIS_URL => "https://example.com",
        REDIS_TOKEN => "token",
        name if is_origin_secret(name) => "token",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The variables that must not be in a file.
const SECRETS: [&str; 2] = [REDIS_TOKEN, ADMIN_TOKEN];
