//! The settings of a tenant: plan, status, overrides and metadata.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::config::json::{InvalidInput, Object, Problems, integer, join, members, text, timestamp};
use crate::limit::{By, LimitName, MAX_INTEGER, MAX_LIMITS};
use crate::time::{Millis, Timestamp};

/// The settings of a tenant: everything except its keys.
///
/// Their JSON form is that of the admin API. A field that is missing or null has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The plan's name: 1 to 128 bytes.
    pub plan: String,
    /// Whether the tenant is served; active by default.
    pub status: Status,
    /// Overrides of single limits, by the limit's name: at most 16.
    pub overrides: BTreeMap<String, Override>,
    /// The operator's own data: at most 32 texts of at most 512 bytes, with names of 1 to 64 bytes.
    pub metadata: BTreeMap<String, String>,
}

/// Whether a tenant is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its requests are served.
    #[default]
    Active,
    /// Its requests are refused, whichever of its keys they have.
    Suspended,
}

/// A tenant's own quota for one limit of its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Override {
    /// Replaces the limit's quota, in units.
    pub limit: u64,
    /// Replaces a token bucket's burst, in units. If it is missing, see
    /// [`Limit::with_quota`](crate::limit::Limit::with_quota).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
    /// The first instant at which the override no longer applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Settings {
    /// Creates settings with a plan and the defaults.
    #[must_use]
    pub fn new(plan: &str) -> Self {
        Settings {
            plan: plan.to_owned(),
            status: Status::Active,
            overrides: BTreeMap::new(),
            metadata: BTreeMap::new(),
        }
    }

    /// Parses settings from JSON.
    ///
    /// # Errors
    /// Fails if fields are unknown, missing or out of bounds.
    pub fn read(value: &Value) -> Result<Self, InvalidInput> {
        let mut problems = Problems::default();
        let settings = Object::open(value, "", &FIELDS, &mut problems)
            .and_then(|object| Settings::from_object(&object, &mut problems));
        problems.finish(settings)
    }

    /// Checks that the configuration has the plan, and that the plan's limits accept the overrides.
    ///
    /// Call this when settings are written, not when they are read: the configuration may have changed since,
    /// and then stored settings need not pass.
    ///
    /// # Errors
    /// Fails if the plan is unknown, or if an override does not fit a limit of the plan.
    pub fn check(&self, config: &Config) -> Result<(), InvalidInput> {
        let Some(plan) = config.plans.get(&self.plan) else {
            let known: Vec<_> = config.plans.keys().map(String::as_str).collect();
            let problem = format!("no plan is named {:?} (plans: {})", self.plan, known.join(", "));
            return Err(InvalidInput::new("plan", problem));
        };
        let mut problems = Problems::default();
        for (name, change) in &self.overrides {
            let path = join("overrides", name);
            match plan.limits().iter().find(|limit| limit.name().as_str() == name) {
                Some(limit) if limit.by() == Some(&By::Everyone) => {
                    problems.push(path, "counts by everyone, so a tenant has no quota of its own (change the plan)");
                }
                Some(limit) => {
                    if let Err(error) = limit.with_quota(change.limit, change.burst) {
                        problems.push(join(&path, error.field), error.problem);
                    }
                }
                None => problems.push(path, format!("the plan {:?} has no limit of this name", self.plan)),
            }
        }
        problems.finish(Some(()))
    }

    /// Parses settings from an open object, which may have other fields too.
    pub(super) fn from_object(object: &Object<'_>, problems: &mut Problems) -> Option<Self> {
        let settings = Settings {
            status: object.optional("status", status, problems).unwrap_or_default(),
            overrides: map(object, "overrides", problems, read_override),
            metadata: map(object, "metadata", problems, |value, path, problems| {
                text(value).map_err(|problem| problems.push(path, problem)).ok()
            }),
            plan: object.required("plan", text, problems)?,
        };
        settings.validate(problems);
        Some(settings)
    }

    /// Adds a problem for each value that is out of bounds.
    pub(super) fn validate(&self, problems: &mut Problems) {
        within(1, &self.plan, MAX_PLAN, "plan", problems);
        at_most(self.overrides.len(), MAX_OVERRIDES, "overrides", problems);
        for (name, change) in &self.overrides {
            let path = join("overrides", name);
            if let Err(error) = LimitName::new(name) {
                problems.push(&path, format!("not the name of a limit: {}", error.problem));
            }
            for (field, number) in [("limit", Some(change.limit)), ("burst", change.burst)] {
                if number.is_some_and(|number| !(1..=MAX_INTEGER).contains(&number)) {
                    problems.push(join(&path, field), format!("expected 1 to {MAX_INTEGER}"));
                }
            }
        }
        at_most(self.metadata.len(), MAX_METADATA, "metadata", problems);
        for (name, value) in &self.metadata {
            let path = join("metadata", name);
            if !(1..=MAX_METADATA_NAME).contains(&name.len()) {
                let problem = format!("expected a name of 1 to {MAX_METADATA_NAME} bytes, found {}", name.len());
                problems.push(&path, problem);
            }
            within(0, value, MAX_METADATA_VALUE, &path, problems);
        }
    }

    /// Returns the override of a limit in effect at `now`.
    pub(super) fn override_of(&self, limit: &LimitName, now: Millis) -> Option<&Override> {
        let change = self.overrides.get(limit.as_str())?;
        change.until.is_none_or(|until| now < until.millis()).then_some(change)
    }
}

fn status(value: &Value) -> Result<Status, String> {
    match value.as_str() {
        Some("active") => Ok(Status::Active),
        Some("suspended") => Ok(Status::Suspended),
        _ => Err("expected \"active\" or \"suspended\"".to_owned()),
    }
}

fn read_override(value: &Value, path: &str, problems: &mut Problems) -> Option<Override> {
    let object = Object::open(value, path, &["limit", "burst", "until"], problems)?;
    let burst = object.optional("burst", integer, problems);
    let until = object.optional("until", timestamp, problems);
    Some(Override { limit: object.required("limit", integer, problems)?, burst, until })
}

/// Parses the members of an object with `read`, which adds its problems.
fn map<T>(
    object: &Object<'_>,
    field: &str,
    problems: &mut Problems,
    read: impl Fn(&Value, &str, &mut Problems) -> Option<T>,
) -> BTreeMap<String, T> {
    let members = object.get(field).and_then(|value| members(value, field, problems));
    let members = members.into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), read(value, &join(field, name), problems)?))).collect()
}

fn at_most(count: usize, most: usize, path: &str, problems: &mut Problems) {
    if count > most {
        problems.push(path, format!("expected at most {most}, found {count}"));
    }
}

fn within(least: usize, text: &str, most: usize, path: &str, problems: &mut Problems) {
    if !(least..=most).contains(&text.len()) {
        problems.push(path, format!("expected {least} to {most} bytes, found {}", text.len()));
    }
}

/// The JSON fields of settings.
pub(super) const FIELDS: [&str; 4] = ["plan", "status", "overrides", "metadata"];

const MAX_PLAN: usize = 128;
const MAX_OVERRIDES: usize = MAX_LIMITS;
const MAX_METADATA: usize = 32;
const MAX_METADATA_NAME: usize = 64;
const MAX_METADATA_VALUE: usize = 512;

#[cfg(test)]
mod tests;
