//! What is not the Worker's own configuration, but keeps it from working as it was meant.

use serde_json::Value;
use sluicegate::config::environment::CONFIG;

use super::file::File;
use super::finding::Finding;
use super::variables::Variables;

/// Adds a warning for each suspicious setting.
pub(super) fn check(file: &File, environment: Option<&str>, variables: &Variables, warnings: &mut Vec<Finding>) {
    let (path, assets) = file.inheritable(environment, "assets");
    if assets.is_some_and(|assets| assets.get("run_worker_first") != Some(&Value::Bool(true))) {
        let problem = "is not true (a file among the assets would hide a path of the origin, unjudged)";
        warnings.push(Finding::new(format!("{path}.run_worker_first"), problem));
    }
    let (path, triggers) = file.inheritable(environment, "triggers");
    if keeps_history(variables) && !has_schedule(triggers) {
        let problem = "is empty (nothing writes the usage history; for example crons = [\"5 * * * *\"])";
        warnings.push(Finding::new(format!("{path}.crons"), problem));
    }
}

/// Whether tenants are known by their keys, and what they use is recorded.
fn keeps_history(variables: &Variables) -> bool {
    let config = variables.text(CONFIG).and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default();
    let tenants =
        config.get("identify").and_then(Value::as_array).is_some_and(|ways| ways.iter().any(|way| way == "api_key"));
    tenants && config.get("usage") != Some(&Value::Bool(false))
}

fn has_schedule(triggers: Option<&Value>) -> bool {
    let crons = triggers.and_then(|triggers| triggers.get("crons")).and_then(Value::as_array);
    crons.is_some_and(|crons| !crons.is_empty())
}
