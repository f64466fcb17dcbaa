//! The text of a configuration, and what is checked and deployed of it.

use serde_json::{Value, json};
use sluicegate::config::environment::CONFIG;

use super::every_problem;
use super::finding::Finding;

/// The text of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConfigText {
    /// In the wrangler file itself.
    Here(String),
    /// In the file of this name, next to it, as JSON.
    File {
        /// The name in `SLUICEGATE_FILE`.
        name: String,
        /// The file's content as JSON.
        json: String,
    },
    /// In KV, where this program does not look.
    Kv,
}

impl ConfigText {
    /// Returns the configuration as JSON, unless it is in KV.
    pub(crate) fn json(&self) -> Option<&str> {
        match self {
            ConfigText::Here(text) | ConfigText::File { json: text, .. } => Some(text),
            ConfigText::Kv => None,
        }
    }

    /// Returns the names of the plans, and adds every problem. The problems of a variable are below `path`.
    pub(crate) fn check(&self, path: &str, problems: &mut Vec<Finding>) -> Vec<String> {
        let Some(text) = self.json() else { return Vec::new() };
        match every_problem::check(text) {
            Ok(config) => config.plans.into_keys().collect(),
            Err(errors) => {
                problems.extend(errors.into_iter().map(|error| {
                    let below = if error.path == CONFIG { String::new() } else { error.path };
                    let finding = Finding::new(below, error.problem);
                    match self {
                        ConfigText::File { name, .. } => finding.within(name),
                        _ => finding.below(&format!("{path}.{CONFIG}")),
                    }
                }));
                Vec::new()
            }
        }
    }

    /// Returns the module that is deployed with the Worker.
    pub(crate) fn module(&self) -> String {
        let bundled = match self {
            ConfigText::File { name, json } => json!({ "name": name, "text": json }),
            ConfigText::Here(_) | ConfigText::Kv => Value::Null,
        };
        // JSON is an expression of ECMAScript since its edition of 2019.
        format!("export default {bundled};\n")
    }
}
