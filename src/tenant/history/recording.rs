//! What a recorder does while it holds the lock.

use super::budget::Budget;
use super::day::Day;
use super::history::{HistoryError, parse};
use super::ledger::{DAYS, Ledger};
use super::progress::{Place, Round};
use super::reading::{self, Generation};
use super::report::{End, RecordError, Report};
use crate::limiter::Limiter;
use crate::redis::cas::Expiry;
use crate::redis::lock::{Guard, Lock, Renewal, Runtime, Write};
use crate::redis::{RedisError, Transport};
use crate::tenant::id::TenantId;
use crate::tenant::store::TenantStore;
use crate::time::Millis;

/// The work of one holder of the lock.
pub(super) struct Work<'a, T, R> {
    pub(super) limiter: Limiter<&'a Budget<T>>,
    pub(super) lock: &'a Lock<&'a Budget<T>, R>,
    pub(super) guard: &'a Guard<'a, &'a Budget<T>, R>,
    pub(super) wire: &'a Budget<T>,
    /// How much of the lease may be left when it is time to renew.
    pub(super) renew_at: Millis,
    pub(super) now: Millis,
    pub(super) random: u64,
    pub(super) report: &'a mut Report,
}

impl<T: Transport, R: Runtime> Work<'_, T, R> {
    /// Goes on with the round that closes `day`, and says why it stopped.
    pub(super) async fn go_on(&mut self, day: Day) -> Result<End, RecordError> {
        let stored = self.lock.read(Round::NAME).await?;
        let mut round = Round::of(day, stored.as_deref());
        let tenants = TenantStore::new(self.wire, self.limiter.dialect());
        while !round.is_over(day) {
            if !self.wire.has(A_PAGE) {
                return Ok(End::Paused);
            }
            let after = if let Place::After(id) = &round.place { Some(id) } else { None };
            let page = tenants.list(after, PAGE).await?;
            let mut end = None;
            for id in page.ids {
                end = self.hold().await?;
                if end.is_none() {
                    end = self.record(&id).await?;
                }
                if end.is_some() {
                    break;
                }
                self.report.tenants += 1;
                round.place = Place::After(id);
            }
            if end.is_none() && !page.more {
                round.place = Place::End;
            }
            if let Some(lost @ (End::Lost(_) | End::Overtaken { .. })) = end {
                return Ok(lost);
            }
            let written = self.guard.write(Round::NAME, &round.to_json(), Expiry::After(KEPT)).await?;
            if let Write::Stale { newest } = written {
                return Ok(End::Overtaken { newest });
            }
            if let Some(end) = end {
                return Ok(end);
            }
        }
        Ok(End::Done)
    }

    /// Makes sure that there is time and budget for one more tenant.
    async fn hold(&self) -> Result<Option<End>, RedisError> {
        if !self.wire.has(A_TENANT + AN_END) {
            return Ok(Some(End::Paused));
        }
        if self.guard.remaining() > self.renew_at {
            return Ok(None);
        }
        Ok(match self.guard.renew().await? {
            Renewal::Renewed => None,
            Renewal::Lost(loss) => Some(End::Lost(loss)),
        })
    }

    /// Brings one tenant's ledger to the end of yesterday.
    async fn record(&mut self, id: &TenantId) -> Result<Option<End>, RecordError> {
        let text = self.lock.read(id.as_str()).await?;
        let stored = match text.map(|text| parse(id, &text)).transpose() {
            Ok(stored) => stored,
            Err(HistoryError::Redis(error)) => return Err(error.into()),
            Err(HistoryError::Unreadable { tenant, .. }) => {
                self.report.unreadable.push(tenant);
                return Ok(None);
            }
        };
        let subject = id.subject();
        let mut reading = reading::read(&self.limiter, &subject, self.now).await?;
        if reading.life.is_none() {
            if reading.usage.total == 0 && stored.is_none() {
                // A tenant that has never used anything.
                return Ok(None);
            }
            // Whoever dies between these steps leaves a ledger of another life than the meters', or of none: in both
            // cases nothing of this life is counted yet, and the next one sees it.
            if stored.is_none()
                && let Some(end) = self.write(id, &Ledger::new(reading.day)).await?
            {
                return Ok(Some(end));
            }
            reading::name(&self.limiter, &subject, Generation::new(self.random), self.now).await?;
            reading = reading::read(&self.limiter, &subject, self.now).await?;
            if reading.life.is_none() {
                // Reset just now: there is nothing to record before the next round.
                return Ok(None);
            }
            let mut ledger = stored.clone().unwrap_or_else(|| Ledger::new(reading.day));
            ledger.close(&reading);
            return self.write(id, &ledger).await.map_err(Into::into);
        }
        let mut ledger = Ledger::of(stored.clone(), &reading);
        ledger.close(&reading);
        if ledger.is_news(stored.as_ref()) { Ok(self.write(id, &ledger).await?) } else { Ok(None) }
    }

    async fn write(&mut self, id: &TenantId, ledger: &Ledger) -> Result<Option<End>, RedisError> {
        match self.guard.write(id.as_str(), &ledger.to_json(), Expiry::After(KEPT)).await? {
            Write::Stale { newest } => Ok(Some(End::Overtaken { newest })),
            Write::Written => {
                self.report.written += 1;
                Ok(None)
            }
        }
    }
}

/// How long a ledger is kept after it was last written: a day longer than its days.
const KEPT: Millis = Millis::from_secs((DAYS + 1) * 86_400);

/// Tenants between two notes of how far the round has come: so many are looked at again after a death.
const PAGE: usize = 10;

/// The most requests that a tenant takes: renewing the lock, reading the ledger and the meters, writing an empty
/// ledger, naming the life of the meters, reading them again, writing the ledger; and loading three scripts.
const A_TENANT: u32 = 10;

/// The most requests that the end of an invocation takes: writing how far it has come, releasing the lock, and
/// loading their scripts.
const AN_END: u32 = 4;

/// The most requests that a page takes which holds one tenant.
const A_PAGE: u32 = 1 + A_TENANT + AN_END;
