//! Plans, as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::limit::RawLimit;
use crate::config::error::{ConfigError, joined};
use crate::config::suggestion::remedy;
use crate::limit::Plan;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    limits: Vec<RawLimit>,
}

impl RawPlan {
    /// Validates the limits and builds the plan. `path` is the plan's path, for errors.
    pub(super) fn validate(self, path: &str) -> Result<Plan, ConfigError> {
        let limits = self
            .limits
            .into_iter()
            .enumerate()
            .map(|(i, limit)| limit.validate().map_err(|error| error.below(&joined(path, &format!("limits[{i}]")))))
            .collect::<Result<_, ConfigError>>()?;
        Plan::new(limits).map_err(|error| error.below(path))
    }
}

/// Looks up the plan that the field at `path` names.
pub(super) fn find<'a>(plans: &'a BTreeMap<String, Plan>, path: &str, name: &str) -> Result<&'a Plan, ConfigError> {
    plans.get(name).ok_or_else(|| {
        let remedy = remedy(name, "plans", plans.keys().map(String::as_str));
        ConfigError::new(path, format!("no plan is named {name:?} ({remedy})"))
    })
}
