//! TODO.

use serde::Serialize;

use super::day::Day;
use super::ledger::{Ledger, Unreadable};
use crate::limit::Limit;
use crate::limiter::Limiter;
use crate::redis::lock::RawLock;
use crate::redis::{RedisError, Transport};
use crate::tenant::id::TenantId;
use crate::time::Millis;

/// What a tenant used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Today, so far.
    pub today: DayUsage,
    /// The days before, the newest first: of the last 90, those on which something was used.
    pub days: Vec<DayUsage>,
}

/// What was used on one day. In JSON: `{ "day": "2026-11-22", "units": 123 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayUsage {
    /// The day, in UTC.
    pub day: Day,
    /// The units.
    pub units: u64,
}

/// No history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// What stands in Redis is no ledger. It is left as it is.
    #[error("usage history of tenant {tenant}: {problem}")]
    Unreadable {
        /// Whose it is.
        tenant: TenantId,
        /// What is wrong.
        problem: String,
    },
    /// Redis could not be asked, or its answer is none.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

/// The history of a tenant, as of `now`, in two calls. A tenant that is not known has used nothing.
///
/// # Errors
/// A [`HistoryError`].
pub async fn read<T: Transport>(limiter: &Limiter<T>, tenant: &TenantId, now: Millis) -> Result<History, HistoryError> {
    // In this order: what a recorder writes in between is counted by the reading, not twice.
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

/// Forgets what the limits and the meters of a tenant have counted: [`Limiter::reset`], and says so to the history in
/// the same call. Only so are units that a reset forgot told from units that were given back. Returns how
/// many keys there were.
///
/// # Errors
/// As [`Limiter::reset`].
pub async fn reset<T: Transport>(limiter: &Limiter<T>, tenant: &TenantId, limits: &[Limit]) -> Result<u64, RedisError> {
    let subject = tenant.subject();
    limiter.reset_with(&subject, limits, &[super::reading::generation_key(&subject)]).await
}

pub(super) fn parse(tenant: &TenantId, text: &str) -> Result<Ledger, HistoryError> {
    Ledger::from_json(text).map_err(|problem: Unreadable| HistoryError::Unreadable {
        tenant: tenant.clone(),
        problem: problem.to_string(),
    })
}

/// The lock that guards all ledgers.
pub(super) const LOCK: &str = "usage:history";
