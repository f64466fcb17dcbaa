//! Checks of wrangler's own settings that would keep the Worker from working as intended.

use serde_json::Value;

use super::file::File;
use super::finding::Finding;

/// Adds a warning for each suspicious setting.
pub(crate) fn check(file: &File, environment: Option<&str>, config: Option<&str>, warnings: &mut Vec<Finding>) {
    let (path, assets) = file.inheritable(environment, "assets");
    if assets.is_some_and(|assets| assets.get("run_worker_first") != Some(&Value::Bool(true))) {
        let problem = "is not true (an asset would hide a path of the origin and bypass the limits)";
        warnings.push(Finding::new(format!("{path}.run_worker_first"), problem));
    }
    let (path, triggers) = file.inheritable(environment, "triggers");
    if keeps_history(config) && !has_schedule(triggers) {
        let problem = "is empty (the usage history needs a schedule, for example crons = [\"5 * * * *\"])";
        warnings.push(Finding::new(format!("{path}.crons"), problem));
    }
}

/// Returns whether the Worker identifies tenants by API key and records their usage.
fn keeps_history(config: Option<&str>) -> bool {
    let config = config.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    let tenants =
        config.get("identify").and_then(Value::as_array).is_some_and(|ways| ways.iter().any(|way| way == "api_key"));
    tenants && config.get("usage") != Some(&Value::Bool(false))
}

fn has_schedule(triggers: Option<&Value>) -> bool {
    let crons = triggers.and_then(|triggers| triggers.get("crons")).and_then(Value::as_array);
    crons.is_some_and(|crons| !crons.is_empty())
}
