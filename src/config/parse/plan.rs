//! Plans, as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::by;
use super::duration::duration;
use super::limit::RawLimit;
use crate::config::error::{ConfigError, joined};
use crate::config::suggestion::remedy;
use crate::limit::{Plan, PrefetchRule};
use crate::time::Millis;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    limits: Vec<RawLimit>,
    prefetch: Option<RawPrefetch>,
}

#[derive(Deserialize)]
#[serde(rename = "prefetch", deny_unknown_fields)]
struct RawPrefetch {
    units: u64,
    #[serde(deserialize_with = "duration")]
    hold: Millis,
}

impl RawPlan {
    /// Validates the limits and builds the plan. `path` is the plan's path, for errors.
    pub(super) fn validate(self, path: &str) -> Result<Plan, ConfigError> {
        let limits = self
            .limits
            .into_iter()
            .enumerate()
            .map(|(i, limit)| limit.validate().map_err(|error| error.below(&joined(path, &format!("limits[{i}]")))))
            .collect::<Result<Vec<_>, ConfigError>>()?;
        by::check_plan(path, &limits)?;
        let plan = Plan::new(limits);
        let plan = plan.and_then(|plan| match self.prefetch {
            Some(RawPrefetch { units, hold }) => plan.with_prefetch(PrefetchRule::new(units, hold)?),
            None => Ok(plan),
        });
        plan.map_err(|error| error.below(path))
    }
}

/// Looks up the plan that the field at `path` names.
pub(super) fn find<'a>(plans: &'a BTreeMap<String, Plan>, path: &str, name: &str) -> Result<&'a Plan, ConfigError> {
    plans.get(name).ok_or_else(|| {
        let remedy = remedy(name, "plans", plans.keys().map(String::as_str));
        ConfigError::new(path, format!("no plan is named {name:?} ({remedy})"))
    })
}
