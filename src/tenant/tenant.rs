//! A tenant: what is decided about it, and its keys.

use super::api_key::ApiKey;
use super::key_record::{KeyId, KeyRecord};
use super::settings::{Settings, Status};
use crate::config::Config;
use crate::config::json::{InvalidInput, Problems};
use crate::limit::Limit;
use crate::time::Millis;

/// Everything that is known of a tenant. A value that exists is within its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub(super) settings: Settings,
    pub(super) keys: Vec<KeyRecord>,
}

/// What a key is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus<'a> {
    /// It is the tenant's.
    Valid(&'a KeyRecord),
    /// It was the tenant's.
    Expired,
    /// The tenant does not have it.
    Unknown,
}

/// The configuration has no plan of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no plan is named {plan:?} in the configuration")]
pub struct UnknownPlan {
    /// The plan that the tenant has.
    pub plan: String,
}

/// Why a key is not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyNotAdded {
    /// The tenant has as many as it may have.
    #[error("a tenant has at most {MAX_KEYS} keys (revoke one)")]
    TooMany,
    /// One of the same id is there.
    #[error("the tenant has a key of this id")]
    Known,
}

impl Tenant {
    /// A tenant without keys.
    ///
    /// # Errors
    /// When a setting is out of bounds.
    pub fn new(settings: Settings) -> Result<Self, InvalidInput> {
        let mut problems = Problems::default();
        settings.validate(&mut problems);
        problems.finish(Some(Tenant { settings, keys: Vec::new() }))
    }

    /// The same tenant with other settings; its keys stay.
    ///
    /// # Errors
    /// As [`Tenant::new`].
    pub fn with_settings(&self, settings: Settings) -> Result<Self, InvalidInput> {
        Tenant::new(settings).map(|tenant| Tenant { keys: self.keys.clone(), ..tenant })
    }

    /// The same tenant with one more key.
    ///
    /// # Errors
    /// When it has 16 already, or this one.
    pub fn with_key(&self, record: KeyRecord) -> Result<Self, KeyNotAdded> {
        if self.keys.iter().any(|key| key.id == record.id) {
            return Err(KeyNotAdded::Known);
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyNotAdded::TooMany);
        }
        let mut tenant = self.clone();
        tenant.keys.push(record);
        Ok(tenant)
    }

    /// The same tenant without one of its keys; `None` if it does not have it.
    #[must_use]
    pub fn without_key(&self, id: &KeyId) -> Option<Self> {
        let keys: Vec<_> = self.keys.iter().filter(|key| key.id != *id).cloned().collect();
        (keys.len() < self.keys.len()).then(|| Tenant { settings: self.settings.clone(), keys })
    }

    /// The same tenant without its metadata, which no request is judged by.
    #[must_use]
    pub fn without_metadata(mut self) -> Self {
        self.settings.metadata.clear();
        self
    }

    /// What the operator decides.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The plan's name.
    #[must_use]
    pub fn plan(&self) -> &str {
        &self.settings.plan
    }

    /// Whether it is served.
    #[must_use]
    pub fn status(&self) -> Status {
        self.settings.status
    }

    /// Its keys, the oldest first, also those that have expired.
    #[must_use]
    pub fn keys(&self) -> &[KeyRecord] {
        &self.keys
    }

    /// What `key` is worth at `now`.
    ///
    /// It is compared with every record, each in constant time, so that the time says nothing of a hash.
    #[must_use]
    pub fn key(&self, key: &ApiKey, now: Millis) -> KeyStatus<'_> {
        let digest = key.digest();
        let mut found = None;
        for record in &self.keys {
            if record.sha256.matches(&digest) {
                found = Some(record);
            }
        }
        match found {
            None => KeyStatus::Unknown,
            Some(record) if record.has_expired(now) => KeyStatus::Expired,
            Some(record) => KeyStatus::Valid(record),
        }
    }

    /// The limits of its plan, with the overrides that hold at `now`: those whose `until` is later, or that have none.
    ///
    /// An override that names no limit of the plan, or whose numbers that limit cannot have, is passed over: both
    /// are refused when they are written ([`Settings::check`]), so the configuration has changed since, and the
    /// plan's own numbers are the safe ones.
    ///
    /// # Errors
    /// When the configuration no longer has the plan.
    pub fn limits(&self, config: &Config, now: Millis) -> Result<Vec<Limit>, UnknownPlan> {
        let plan = self.plan();
        let plan = config.plans.get(plan).ok_or_else(|| UnknownPlan { plan: plan.to_owned() })?;
        let limits = plan.limits().iter().map(|limit| {
            let change = self.settings.override_of(limit.name(), now);
            let changed = change.and_then(|change| limit.with_quota(change.limit, change.burst).ok());
            changed.unwrap_or_else(|| limit.clone())
        });
        Ok(limits.collect())
    }
}

/// Enough for a rotation in each of a customer's services.
pub(super) const MAX_KEYS: usize = 16;

#[cfg(test)]
mod tests;
