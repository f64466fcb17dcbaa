//! Tenants on their own Redis server, and the operations of the tests on them.

use sluicegate::limit::{Limit, LimitName, Subject, usage};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::redis::lock::{Lease, Runtime};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Transport};
use sluicegate::tenant::history::{self, RecordError, Recorder, Report};
use sluicegate::tenant::store::{Create, TenantStore};
use sluicegate::tenant::{Settings, Tenant, TenantId};
use sluicegate::time::Millis;

use crate::faulty_transport::FaultyTransport;
use crate::runtime::ManualRuntime;
use crate::server::Server;

/// A redis-server with tenants, and the clock of the recorders.
pub(crate) struct Fixture {
    pub(crate) server: Server,
    limiter: Limiter<HttpTransport>,
    /// The clock of all recorders.
    pub(crate) clock: ManualRuntime,
    settled: u32,
    runs: u32,
}

/// Returns noon of a day, counted from 1970-01-01: 20,000 is 2024-10-04.
pub(crate) fn noon(day: u64) -> Millis {
    Millis::new(day * DAY + DAY / 2)
}

pub(crate) const DAY: u64 = 86_400_000;
const LOCK: &str = "sg:1:{lock:usage:history}";

fn id(tenant: &str) -> TenantId {
    TenantId::new(tenant).unwrap()
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let server = Server::start().await;
        let limiter = Limiter::new(server.transport(), Dialect::Plain);
        Fixture { server, limiter, clock: ManualRuntime::stopped(), settled: 0, runs: 0 }
    }

    /// Deletes all keys.
    pub(crate) fn flush(&mut self) {
        self.server.run::<()>(&["FLUSHALL"]);
    }

    pub(crate) async fn create_tenants(&self, tenants: &[&str]) {
        let store = TenantStore::new(self.limiter.transport(), Dialect::Plain);
        for tenant in tenants {
            let document = Tenant::new(Settings::new("pro")).unwrap();
            assert!(matches!(store.create(&id(tenant), document).await.unwrap(), Create::Created(_)));
        }
    }

    pub(crate) async fn charge(&self, tenant: &str, units: u64, now: Millis) {
        let verdict = self.limiter.check(&Subject::named(tenant), &limits(), units, Now::At(now)).await.unwrap();
        assert!(verdict.is_allow(), "{verdict:?}");
    }

    /// Settles a request charged at `charged_at`. Returns the units that the meter of all days charged or gave back.
    pub(crate) async fn settle(
        &mut self,
        tenant: &str,
        correction: Correction,
        charged_at: Millis,
        now: Millis,
    ) -> u64 {
        self.settled += 1;
        let request = RequestId::new(&format!("request-{}", self.settled)).unwrap();
        let settlement = Settlement { request: &request, charged_at, correction, memory: Millis::from_secs(60) };
        let subject = Subject::named(tenant);
        let outcome = self.limiter.settle(&subject, &limits(), &settlement, Now::At(now)).await.unwrap();
        let SettleOutcome::Settle { units } = outcome else { panic!("{outcome:?}") };
        units[2]
    }

    pub(crate) async fn reset(&self, tenant: &str) {
        history::reset(&self.limiter, &id(tenant).subject(), &limits()).await.unwrap();
    }

    /// Returns the days of a tenant as the API reports them, the newest first, and the units of today.
    pub(crate) async fn days(&self, tenant: &str, now: Millis) -> (Vec<(String, u64)>, u64) {
        let history = history::read(&self.limiter, &id(tenant), now).await.unwrap();
        let days = history.days.iter().map(|day| (day.day.to_string(), day.units)).collect();
        (days, history.today.units)
    }

    /// Returns the total units of a tenant in its history and today.
    pub(crate) async fn total(&self, tenant: &str, now: Millis) -> u64 {
        let (days, today) = self.days(tenant, now).await;
        days.iter().map(|(_, units)| units).sum::<u64>() + today
    }

    /// Runs a recorder once, on its own transport.
    pub(crate) async fn record(&mut self, transport: &FaultyTransport, now: Millis) -> Result<Report, RecordError> {
        self.runs += 1;
        let owner = format!("run-{}", self.runs);
        record(transport, self.clock.clone(), &owner, BUDGET, now).await
    }

    /// Runs recorders without faults until everything is recorded.
    pub(crate) async fn record_all(&mut self, now: Millis) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            let transport = FaultyTransport::without_fault(self.server.transport());
            let report = self.record(&transport, now).await.unwrap();
            let end = report.end.clone();
            reports.push(report);
            match end {
                history::End::Done => return reports,
                history::End::Paused => assert!(reports.len() < 1000, "the recorders do not finish"),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Ends the lease of the lock's holder by deleting the key, which for Redis is the same as its expiry.
    pub(crate) fn end_lease(&mut self) {
        self.server.run::<i64>(&["DEL", LOCK]);
    }

    /// Returns everything that recorders write: the values fenced by their lock.
    pub(crate) fn ledgers(&mut self) -> Vec<(String, String)> {
        let mut keys: Vec<String> = self.server.run(&["KEYS", "sg:1:{lock:usage:history}:value:*"]);
        keys.sort();
        keys.into_iter().map(|key| (key.clone(), self.server.run(&["GET", &key]))).collect()
    }
}

/// Runs a recorder once, with a budget of `calls` requests.
pub(crate) async fn record<T: Transport, R: Runtime>(
    transport: &T,
    runtime: R,
    owner: &str,
    calls: u32,
    now: Millis,
) -> Result<Report, RecordError> {
    let limiter = Limiter::new(transport, Dialect::Plain);
    let lease = Lease::new(Millis::from_secs(30)).unwrap();
    Recorder::new(&limiter, runtime, lease).with_calls(calls).run(owner, now).await
}

/// Returns the limits of every tenant: one that allows all requests, and the meters.
fn limits() -> Vec<Limit> {
    let name = LimitName::new("second").unwrap();
    usage::with_meters(&[Limit::token_bucket(name, 1_000_000_000, Millis::from_secs(1), None).unwrap()])
}

/// The budget of a recorder, in requests to Redis.
pub(crate) const BUDGET: u32 = 45;
