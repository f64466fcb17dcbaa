//! A tenant: its settings and API keys, and the limits that follow from them.

use super::api_key::ApiKey;
use super::key_record::{KeyId, KeyRecord};
use super::settings::{Settings, Status};
use crate::config::Config;
use crate::config::json::{InvalidInput, Problems};
use crate::limit::{By, Limit, PrefetchRule};
use crate::time::Millis;

/// A tenant: its settings and API keys. All values are within their bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub(super) settings: Settings,
    pub(super) keys: Vec<KeyRecord>,
}

/// Whether a key is valid for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus<'a> {
    /// The tenant has this key.
    Valid(&'a KeyRecord),
    /// The tenant has this key, but it has expired.
    Expired,
    /// The tenant does not have this key.
    Unknown,
}

/// The configuration has no plan of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no plan is named {plan:?} in the configuration")]
pub struct UnknownPlan {
    /// The tenant's plan.
    pub plan: String,
}

/// Why a key was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyNotAdded {
    /// The tenant has the maximum number of keys.
    #[error("a tenant has at most {MAX_KEYS} keys (revoke one)")]
    TooMany,
    /// The tenant has a key with the same id.
    #[error("the tenant already has a key with this id")]
    Known,
}

impl Tenant {
    /// Creates a tenant without keys.
    ///
    /// # Errors
    /// Fails if a setting is out of bounds.
    pub fn new(settings: Settings) -> Result<Self, InvalidInput> {
        let mut problems = Problems::default();
        settings.validate(&mut problems);
        problems.finish(Some(Tenant { settings, keys: Vec::new() }))
    }

    /// Returns the tenant with other settings and the same keys.
    ///
    /// # Errors
    /// As [`Tenant::new`].
    pub fn with_settings(&self, settings: Settings) -> Result<Self, InvalidInput> {
        Tenant::new(settings).map(|tenant| Tenant { keys: self.keys.clone(), ..tenant })
    }

    /// Returns the tenant with one more key.
    ///
    /// # Errors
    /// Fails if it has this key already, or 16 others.
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

    /// Returns the tenant without one of its keys; `None` if it does not have it.
    #[must_use]
    pub fn without_key(&self, id: &KeyId) -> Option<Self> {
        let keys: Vec<_> = self.keys.iter().filter(|key| key.id != *id).cloned().collect();
        (keys.len() < self.keys.len()).then(|| Tenant { settings: self.settings.clone(), keys })
    }

    /// Returns the tenant without its metadata, which no check needs.
    #[must_use]
    pub fn without_metadata(mut self) -> Self {
        self.settings.metadata.clear();
        self
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the name of the plan.
    #[must_use]
    pub fn plan(&self) -> &str {
        &self.settings.plan
    }

    /// Returns whether the tenant is active or suspended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.settings.status
    }

    /// Returns the keys, including expired ones, in the order in which they were added.
    #[must_use]
    pub fn keys(&self) -> &[KeyRecord] {
        &self.keys
    }

    /// Returns whether `key` is valid at `now`.
    ///
    /// It is compared with every record, each time in constant time, so that timing reveals nothing about a
    /// digest.
    #[must_use]
    pub fn key_status(&self, key: &ApiKey, now: Millis) -> KeyStatus<'_> {
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

    /// Returns the limits of the plan, with the overrides in effect at `now`: those without `until`, or with a
    /// later one.
    ///
    /// An override is ignored if the plan has no limit of its name, if the limit cannot have its numbers, or if it counts
    /// by everyone. All are refused on write ([`Settings::check`]), so the configuration must have changed since, and the
    /// plan's own numbers are the safe ones.
    ///
    /// # Errors
    /// Fails if the configuration no longer has the plan.
    pub fn limits(&self, config: &Config, now: Millis) -> Result<Vec<Limit>, UnknownPlan> {
        let plan = self.plan();
        let plan = config.plans.get(plan).ok_or_else(|| UnknownPlan { plan: plan.to_owned() })?;
        let limits = plan.limits().iter().map(|limit| {
            let change = self.settings.override_of(limit.name(), now);
            let change = change.filter(|_| limit.by() != Some(&By::Everyone));
            let changed = change.and_then(|change| limit.with_quota(change.limit, change.burst).ok());
            changed.unwrap_or_else(|| limit.clone())
        });
        Ok(limits.collect())
    }

    /// Returns the rule of the tenant's plan by which units are taken in advance, if they are.
    #[must_use]
    pub fn prefetch(&self, config: &Config) -> Option<PrefetchRule> {
        config.plans.get(self.plan())?.prefetch()
    }
}

/// The maximum number of keys: enough to rotate the keys of several services.
pub(super) const MAX_KEYS: usize = 16;

#[cfg(test)]
mod tests;
