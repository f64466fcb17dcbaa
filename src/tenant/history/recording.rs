//! The work of a recorder while it holds the lock.

use super::budget::BudgetedTransport;
use super::day::Day;
use super::history::{HistoryError, parse};
use super::ledger::{DAYS, Ledger};
use super::progress::{Position, Progress};
use super::reading::{self, Generation};
use super::report::{End, RecordError, Report};
use crate::limiter::Limiter;
use crate::redis::cas::Expiry;
use crate::redis::lock::{Guard, Lock, Renewal, Runtime, Write};
use crate::redis::{RedisError, Transport};
use crate::tenant::id::TenantId;
use crate::tenant::store::TenantStore;
use crate::time::Millis;

/// The state of a recorder that holds the lock.
pub(super) struct Recording<'a, T, R> {
    pub(super) limiter: Limiter<&'a BudgetedTransport<T>>,
    pub(super) lock: &'a Lock<&'a BudgetedTransport<T>, R>,
    pub(super) guard: &'a Guard<'a, &'a BudgetedTransport<T>, R>,
    pub(super) transport: &'a BudgetedTransport<T>,
    /// The remaining lease at which to renew it.
    pub(super) renew_at: Millis,
    pub(super) now: Millis,
    pub(super) random: u64,
    pub(super) report: &'a mut Report,
}

impl<T: Transport, R: Runtime> Recording<'_, T, R> {
    /// Continues the round that closes `day`, and returns why it stopped.
    pub(super) async fn close_day(&mut self, day: Day) -> Result<End, RecordError> {
        let stored = self.lock.read(Progress::VALUE_NAME).await?;
        let mut progress = Progress::of(day, stored.as_deref());
        let tenants = TenantStore::new(self.transport, self.limiter.dialect());
        while !progress.is_over(day) {
            if !self.transport.allows(PAGE_COST) {
                return Ok(End::Paused);
            }
            let after = if let Position::After(id) = &progress.position { Some(id) } else { None };
            let page = tenants.list(after, PAGE_SIZE).await?;
            let mut end = None;
            for id in page.ids {
                end = self.prepare().await?;
                if end.is_none() {
                    end = self.record(&id).await?;
                }
                if end.is_some() {
                    break;
                }
                self.report.tenants += 1;
                progress.position = Position::After(id);
            }
            if end.is_none() && !page.more {
                progress.position = Position::End;
            }
            if let Some(lost @ (End::Lost(_) | End::Overtaken { .. })) = end {
                return Ok(lost);
            }
            let written = self.guard.write(Progress::VALUE_NAME, &progress.to_json(), Expiry::After(TTL)).await?;
            if let Write::Stale { newest } = written {
                return Ok(End::Overtaken { newest });
            }
            if let Some(end) = end {
                return Ok(end);
            }
        }
        Ok(End::Done)
    }

    /// Ensures that the lease and the budget suffice for one more tenant, or returns why they do not.
    async fn prepare(&self) -> Result<Option<End>, RedisError> {
        if !self.transport.allows(TENANT_COST + END_COST) {
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

    /// Records one tenant's usage up to the end of yesterday.
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
        if reading.generation.is_none() {
            if reading.usage.total == 0 && stored.is_none() {
                // The tenant has never used anything.
                return Ok(None);
            }
            // If the recorder dies between these steps, the generation of the ledger differs from that of the
            // meters. So the next recorder sees that nothing of this generation is counted yet.
            if stored.is_none()
                && let Some(end) = self.write(id, &Ledger::new(reading.day)).await?
            {
                return Ok(Some(end));
            }
            reading::name(&self.limiter, &subject, Generation::new(self.random), self.now).await?;
            reading = reading::read(&self.limiter, &subject, self.now).await?;
            if reading.generation.is_none() {
                // The tenant was reset just now. There is nothing to record before the next round.
                return Ok(None);
            }
            let mut ledger = stored.clone().unwrap_or_else(|| Ledger::new(reading.day));
            ledger.close(&reading);
            return self.write(id, &ledger).await.map_err(Into::into);
        }
        let mut ledger = Ledger::of(stored.clone(), &reading);
        ledger.close(&reading);
        if ledger.needs_write(stored.as_ref()) { Ok(self.write(id, &ledger).await?) } else { Ok(None) }
    }

    async fn write(&mut self, id: &TenantId, ledger: &Ledger) -> Result<Option<End>, RedisError> {
        match self.guard.write(id.as_str(), &ledger.to_json(), Expiry::After(TTL)).await? {
            Write::Stale { newest } => Ok(Some(End::Overtaken { newest })),
            Write::Written => {
                self.report.written += 1;
                Ok(None)
            }
        }
    }
}

/// How long a ledger lives after its last write: one day longer than the days in it.
const TTL: Millis = Millis::from_secs((DAYS + 1) * 86_400);

/// Tenants between two writes of the progress. If a recorder dies, at most this many are processed again.
const PAGE_SIZE: usize = 10;

/// The most requests for one tenant: renew the lock, read the ledger and the meters, write an empty ledger,
/// name the generation of the meters, read them again, write the ledger, and load three scripts.
const TENANT_COST: u32 = 10;

/// The most requests at the end of an invocation: write the progress, release the lock, and load both scripts.
const END_COST: u32 = 4;

/// The most requests for a page with one tenant.
const PAGE_COST: u32 = 1 + TENANT_COST + END_COST;
