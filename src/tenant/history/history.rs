//! Reads and resets the usage history of a tenant.

use serde::Serialize;

use super::day::Day;
use super::ledger::{Ledger, Unreadable};
use crate::limit::{Limit, Subject};
use crate::limiter::Limiter;
use crate::redis::lock::RawLock;
use crate::redis::{RedisError, Transport};
use crate::tenant::id::TenantId;
use crate::time::Millis;

/// The usage of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The usage of today so far.
    pub today: DayUsage,
    /// The usage of the last 90 days before today, the newest first. Days without usage are absent.
    pub days: Vec<DayUsage>,
}

/// The usage of one day. As JSON: `{ "day": "2026-11-22", "units": 123 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayUsage {
    /// The day, in UTC.
    pub day: Day,
    /// The units used.
    pub units: u64,
}

/// Why a history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The ledger in Redis is invalid. It is left unchanged.
    #[error("usage history of tenant {tenant}: {problem}")]
    Unreadable {
        /// The tenant.
        tenant: TenantId,
        /// What is wrong with the ledger.
        problem: String,
    },
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

/// Reads the history of a tenant as of `now`, in two calls. An unknown tenant has used nothing.
///
/// # Errors
/// Returns a [`HistoryError`] if Redis fails or the ledger is invalid.
pub async fn read<T: Transport>(limiter: &Limiter<T>, tenant: &TenantId, now: Millis) -> Result<History, HistoryError> {
    // The ledger comes first: if a recorder writes in between, the reading still counts its units, and only
    // once.
    let stored = RawLock::new(limiter.transport(), limiter.dialect(), LOCK).read(tenant.as_str()).await?;
    let reading = super::reading::read(limiter, &tenant.subject(), now).await?;
    let stored = stored.map(|text| parse(tenant, &text)).transpose()?;
    let mut ledger = Ledger::of(stored, &reading);
    ledger.close(&reading);
    Ok(History {
        today: DayUsage { day: reading.day, units: reading.usage.day },
        days: ledger.days().map(|(day, units)| DayUsage { day, units }).collect(),
    })
}

/// Resets the limits and the usage meters of a tenant with this subject, and returns how many keys were deleted.
///
/// It is [`Limiter::reset`], and also starts a new generation of the meters in the same call. Only so can the
/// history distinguish units discarded by a reset from units refunded.
///
/// # Errors
/// As [`Limiter::reset`].
pub async fn reset<T: Transport>(limiter: &Limiter<T>, subject: &Subject, limits: &[Limit]) -> Result<u64, RedisError> {
    limiter.reset_with(subject, limits, &[super::reading::generation_key(subject)]).await
}

/// Parses the ledger of a tenant.
pub(super) fn parse(tenant: &TenantId, text: &str) -> Result<Ledger, HistoryError> {
    Ledger::from_json(text).map_err(|problem: Unreadable| HistoryError::Unreadable {
        tenant: tenant.clone(),
        problem: problem.to_string(),
    })
}

/// The name of the lock that guards all ledgers.
pub(super) const LOCK: &str = "usage:history";
