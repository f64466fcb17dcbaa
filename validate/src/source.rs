//! Finds the text of the configuration where the Worker would.

use serde_json::Value;
use sluicegate::config::environment::CONFIG;
use sluicegate::config::source::{CONFIG_FILE, CONFIG_KV, ConfigSource};

use super::config_text::ConfigText;
use super::file::{File, members};
use super::finding::Finding;
use super::validation::ReadFile;
use super::variables::Variables;

/// Finds the text of an environment's configuration. `read` reads a file next to that of wrangler.
pub(crate) fn find(
    file: &File,
    environment: Option<&str>,
    variables: &Variables,
    read: ReadFile<'_>,
) -> Result<ConfigText, Finding> {
    let source = ConfigSource::find(|name| variables.text(name), file.has_kv(environment, CONFIG_KV));
    let source = source.map_err(|error| Finding::new(format!("{}.{}", variables.path, error.path), error.problem))?;
    Ok(match source {
        ConfigSource::Variable => ConfigText::Here(variables.text(CONFIG).unwrap_or_default()),
        ConfigSource::Kv { .. } => ConfigText::Kv,
        ConfigSource::File(name) => {
            let at = |problem: String| Finding::new(format!("{}.{CONFIG_FILE}", variables.path), problem);
            let text = read(&name).map_err(|error| at(format!("{name}: cannot be read: {error}")))?;
            let json = members(&name, &text).map_err(|problem| problem.within(&name))?;
            ConfigText::File { json: Value::Object(json).to_string(), name }
        }
    })
}
