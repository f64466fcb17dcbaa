//! What each tenant used, day by day (UTC), for the last 90 days.
//!
//! The [meters](crate::meter) of a tenant know two numbers: what it used today and what it used ever. Their
//! difference is what it used until the last midnight, at whatever time one looks. A [`Recorder`] looks once a day
//! and writes what the difference has grown by into the tenant's ledger; [`read`] does the same sum without writing,
//! so the history is right also where the recorder has not come by yet.
//!
//! # Which day gets what
//!
//! - A request counts on the day that judged it, by the clock that judged it.
//! - A correction of its cost counts on the same day as long as that one is not closed, which it is some
//!   minutes after its end. Later, units that are charged count on the day on which the correction came;
//!   units that are given back come off that day too, and where it has used less, off the newest days before.
//! - If no recorder came by for some days, what was used on them counts on the newest of them.
//! - A [`reset`] keeps the days that are recorded, and forgets what was used, and what was given back, since.
//! - A tenant that nobody recorded for 91 days has lost its ledger; what it used in the meantime is left out.
//!
//! So the units of all days and of today are always what was used, less what was given back and what a reset
//! forgot. No day has less than 0, and a day on which nothing was used is absent.
//!
//! # How it is written
//!
//! One lock, `usage:history`, guards all ledgers; no name of a lock that comes over HTTP has a `:`. A ledger is one
//! value, written by one fenced write, and says both how far the meters are counted and the units of each
//! day. So it does not matter where a recorder dies: either all of a tenant is recorded or nothing, and the next
//! one sees which. A recorder that wakes up when another has taken over is refused by the fence.
//!
//! All ledgers are in the Redis Cluster slot of their lock: some 2 KB a tenant. With very many tenants this slot
//! is the heavy one. An eviction policy that removes keys breaks the history as it breaks the limits: meters
//! that are lost without a reset look like units given back.

mod budget;
mod day;
mod ledger;
mod reading;
mod recorder;
mod round;
mod work;

pub use day::{Day, NotADay};
pub use recorder::{End, RecordError, Recorder, Report};

use serde::Serialize;

use crate::limiter::Limiter;
use crate::lock::RawLock;
use crate::policy::Limit;
use crate::redis::{RedisError, Transport};
use crate::subject::Subject;
use crate::tenant::TenantId;
use crate::time::Millis;
use ledger::{Ledger, Unreadable};

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
    let stored = RawLock::new(limiter.transport(), limiter.spelling(), LOCK).read(tenant.as_str()).await?;
    let reading = reading::read(limiter, &Subject::tenant(tenant), now).await?;
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
    let subject = Subject::tenant(tenant);
    limiter.reset_with(&subject, limits, &[reading::life_key(&subject)]).await
}

fn parse(tenant: &TenantId, text: &str) -> Result<Ledger, HistoryError> {
    Ledger::from_json(text).map_err(|problem: Unreadable| HistoryError::Unreadable {
        tenant: tenant.clone(),
        problem: problem.to_string(),
    })
}

/// The lock that guards all ledgers.
const LOCK: &str = "usage:history";
