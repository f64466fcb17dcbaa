//! The report of an isolate, and how it gets into the shortlist.

use super::readings::Reading;
use super::shortlist::{KEY, PLACES};
use crate::limiter::Limiter;
use crate::redis::{self, Argument, RedisError, Transport, script};
use crate::tenant::history::Day;
use crate::tenant::id::TenantId;
use crate::time::Millis;

/// What is new of some tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub(super) day: Day,
    pub(super) tenants: Vec<ReportedTenant>,
}

/// What is new of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportedTenant {
    pub(super) id: TenantId,
    /// The units used on this day.
    pub(super) units: u64,
    /// The requests refused since the last report.
    pub(super) refused: u64,
    /// Percent used of the fullest limit.
    pub(super) share: u64,
    /// When the limits near their end are full again.
    pub(super) until: Millis,
    pub(super) readings: Vec<Reading>,
}

impl Report {
    /// Sends the report at `now`, in one call. Returns the units above which a tenant gets a place in the shortlist.
    ///
    /// # Errors
    /// Fails if Redis fails. The report may or may not have arrived; sent again, it counts its refusals twice.
    pub async fn send<T: Transport>(&self, limiter: &Limiter<T>, now: Millis) -> Result<u64, RedisError> {
        let readings: Vec<String> = self.tenants.iter().map(|tenant| Reading::to_word(&tenant.readings)).collect();
        let mut arguments = [now.get(), self.day.number(), PLACES].map(Argument::Number).to_vec();
        for (tenant, readings) in self.tenants.iter().zip(&readings) {
            arguments.push(Argument::Text(tenant.id.as_str()));
            arguments.extend([tenant.units, tenant.refused, tenant.share, tenant.until.get()].map(Argument::Number));
            arguments.push(Argument::Text(readings));
        }
        let script = script::SHORTLIST.in_dialect(limiter.dialect());
        redis::eval(limiter.transport(), script, &[KEY.to_owned()], &arguments).await
    }
}
