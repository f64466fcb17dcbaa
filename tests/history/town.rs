//! Some tenants on a Redis of their own, and what they do.

use sluicegate::limit::{Limit, LimitName, Subject, usage};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::redis::lock::{Lease, Runtime};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Transport};
use sluicegate::tenant::history::{self, RecordError, Recorder, Report};
use sluicegate::tenant::store::{Create, TenantStore};
use sluicegate::tenant::{Settings, Tenant, TenantId};
use sluicegate::time::Millis;

use crate::runtime::ManualRuntime;
use crate::server::Server;
use crate::wire::Wire;

pub(crate) struct Town {
    pub(crate) server: Server,
    limiter: Limiter<HttpTransport>,
    /// Of the clocks of all recorders.
    pub(crate) clock: ManualRuntime,
    settled: u32,
    runs: u32,
}

/// Noon of the day of this number: 20,000 is 2024-10-04.
pub(crate) fn noon(day: u64) -> Millis {
    Millis::new(day * DAY + DAY / 2)
}

pub(crate) const DAY: u64 = 86_400_000;
const LOCK: &str = "sg:1:{lock:usage:history}";

fn id(tenant: &str) -> TenantId {
    TenantId::new(tenant).unwrap()
}

impl Town {
    pub(crate) async fn new() -> Self {
        let server = Server::start().await;
        let limiter = Limiter::new(server.transport(), Dialect::Plain);
        Town { server, limiter, clock: ManualRuntime::stopped(), settled: 0, runs: 0 }
    }

    /// Everything is gone.
    pub(crate) fn burn(&mut self) {
        self.server.run::<()>(&["FLUSHALL"]);
    }

    pub(crate) async fn settle_down(&self, tenants: &[&str]) {
        let store = TenantStore::new(self.limiter.transport(), Dialect::Plain);
        for tenant in tenants {
            let document = Tenant::new(Settings::new("pro")).unwrap();
            assert!(matches!(store.create(&id(tenant), document).await.unwrap(), Create::Created(_)));
        }
    }

    pub(crate) async fn uses(&self, tenant: &str, units: u64, now: Millis) {
        let verdict = self.limiter.check(&Subject::named(tenant), &limits(), units, Now::At(now)).await.unwrap();
        assert!(verdict.is_allow(), "{verdict:?}");
    }

    /// Settles a request of `charged_at`; the units that the meter of all days was charged or gave back.
    pub(crate) async fn settles(
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

    pub(crate) async fn resets(&self, tenant: &str) {
        history::reset(&self.limiter, &id(tenant), &limits()).await.unwrap();
    }

    /// The days of a tenant as the API tells them, the newest first, and today.
    pub(crate) async fn days(&self, tenant: &str, now: Millis) -> (Vec<(String, u64)>, u64) {
        let history = history::read(&self.limiter, &id(tenant), now).await.unwrap();
        let days = history.days.iter().map(|day| (day.day.to_string(), day.units)).collect();
        (days, history.today.units)
    }

    /// Everything that the history knows a tenant to have used.
    pub(crate) async fn sum(&self, tenant: &str, now: Millis) -> u64 {
        let (days, today) = self.days(tenant, now).await;
        days.iter().map(|(_, units)| units).sum::<u64>() + today
    }

    /// One invocation of a recorder, on a way to Redis of its own.
    pub(crate) async fn records(&mut self, wire: &Wire, now: Millis) -> Result<Report, RecordError> {
        self.runs += 1;
        let owner = format!("run-{}", self.runs);
        record(wire, self.clock.clone(), &owner, BUDGET, now).await
    }

    /// Invocations without a mishap until all is recorded.
    pub(crate) async fn records_all(&mut self, now: Millis) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            let wire = Wire::whole(self.server.transport());
            let report = self.records(&wire, now).await.unwrap();
            let end = report.end.clone();
            reports.push(report);
            match end {
                history::End::Done => return reports,
                history::End::Paused => assert!(reports.len() < 1000, "it comes to nothing"),
                other => panic!("{other:?}"),
            }
        }
    }

    /// The lease of whoever holds the lock ends: to Redis, an expired key is one that is not there.
    pub(crate) fn lease_ends(&mut self) {
        self.server.run::<i64>(&["DEL", LOCK]);
    }

    /// Everything that recorders write: the values that their lock guards.
    pub(crate) fn ledgers(&mut self) -> Vec<(String, String)> {
        let mut keys: Vec<String> = self.server.run(&["KEYS", "sg:1:{lock:usage:history}:value:*"]);
        keys.sort();
        keys.into_iter().map(|key| (key.clone(), self.server.run(&["GET", &key]))).collect()
    }
}

/// One invocation with a budget of so many calls.
pub(crate) async fn record<T: Transport, R: Runtime>(
    wire: &T,
    runtime: R,
    owner: &str,
    calls: u32,
    now: Millis,
) -> Result<Report, RecordError> {
    let limiter = Limiter::new(wire, Dialect::Plain);
    let lease = Lease::new(Millis::from_secs(30)).unwrap();
    Recorder::new(&limiter, runtime, lease).with_calls(calls).run(owner, now).await
}

/// What a tenant's requests are judged by: a limit that admits all, and the meters.
fn limits() -> Vec<Limit> {
    let name = LimitName::new("second").unwrap();
    usage::with_meters(&[Limit::token_bucket(name, 1_000_000_000, Millis::from_secs(1), None).unwrap()])
}

pub(crate) const BUDGET: u32 = 45;
