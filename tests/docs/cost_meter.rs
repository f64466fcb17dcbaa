//! Measures what operations cost, in commands and requests to Redis.

use std::cell::Cell;
use std::sync::Arc;

use sluicegate::config::Config;
use sluicegate::limit::usage::Usage;
use sluicegate::limit::{By, CheckRequest, LeaseId, Limit, LimitName, PrefetchRule, Subject, Window, usage};
use sluicegate::limiter::{
    Clock, Correction, Decider, Limiter, Now, Prefetch, Refusals, RequestId, SettleOutcome, Settlement,
};
use sluicegate::redis::lock::{Lease, Runtime};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, RedisError, Response, Token, Transport};
use sluicegate::tenant::history::{End, Recorder};
use sluicegate::tenant::overview::{self, Sightings};
use sluicegate::tenant::store::{Create, TenantStore};
use sluicegate::tenant::{Settings, Tenant, TenantId};
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;

/// A limiter with its own Redis, which counts the cost of operations.
pub(crate) struct CostMeter {
    pub(crate) limiter: Limiter<CountingTransport>,
    connection: redis::Connection,
    pub(crate) leases: u64,
    _redis: RedisServer,
    _bridge: BridgeServer,
}

/// A transport that counts requests.
pub(crate) struct CountingTransport {
    transport: HttpTransport,
    requests: Cell<u64>,
}

impl Transport for CountingTransport {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.requests.set(self.requests.get() + 1);
        self.transport.post(body).await
    }
}

impl CostMeter {
    pub(crate) async fn start() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
        let connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        let token = Token::new("token").unwrap();
        let transport = HttpTransport::new(bridge.url().parse().unwrap(), &token, Millis::from_secs(30));
        let transport = CountingTransport { transport, requests: Cell::new(0) };
        let refusals = Arc::new(Refusals::new(Millis::from_secs(1), Millis::new(250)));
        let limiter = Limiter::new(transport, Dialect::Plain).with_refusals(refusals);
        CostMeter { limiter, connection, leases: 0, _redis: redis, _bridge: bridge }
    }

    /// Returns the commands that Redis has run, including those of scripts, and the requests since the last call.
    pub(crate) fn take_cost(&mut self) -> Cost {
        let statistics: String = redis::cmd("INFO").arg("commandstats").query(&mut self.connection).unwrap();
        redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut self.connection).unwrap();
        let calls = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let ours = !["info", "config"].iter().any(|own| name.starts_with(own));
            ours.then(|| rest.split(',').next().unwrap().parse::<u64>().unwrap())
        };
        (statistics.lines().filter_map(calls).sum(), self.limiter.transport().requests.replace(0))
    }

    /// Returns the cost of a check of one unit, which must be allowed or denied as `allowed` says.
    pub(crate) async fn check_cost(&mut self, limits: &[Limit], allowed: bool, now: Now) -> Cost {
        self.leases += 1;
        let lease = LeaseId::new(&format!("lease-{}", self.leases)).unwrap();
        let lease = limits.iter().any(Limit::needs_lease).then_some(&lease);
        let request = CheckRequest { cost: 1, lease };
        self.take_cost();
        let verdict = self.limiter.check(&acme(), limits, request, now).await.unwrap();
        assert_eq!(verdict.is_allow(), allowed);
        self.take_cost()
    }

    /// Returns the costs of an allowed and a denied check. An earlier check loads the scripts and creates the state.
    pub(crate) async fn allow_and_deny_costs(&mut self, limits: &[Limit]) -> [Cost; 2] {
        self.reset(limits).await;
        self.check_cost(limits, true, AT).await;
        let allowed = self.check_cost(limits, true, AT).await;
        [allowed, self.check_cost(limits, false, AT).await]
    }

    /// Returns the cost of repeating a refusal by these limits, which are used up.
    pub(crate) async fn repeated_refusal_cost(&mut self, limits: &[Limit]) -> Cost {
        for remembered in [false, true] {
            self.take_cost();
            let subject = Subject::named("acme");
            let decided = self.limiter.decide(&subject, limits, 1.into(), Clock::Edge, NOW).await.unwrap();
            assert_eq!((decided.verdict.is_allow(), decided.decider == Decider::Refusal), (false, remembered));
        }
        self.take_cost()
    }

    /// Returns the costs of taking units in advance, of a request that spends them, and of giving back the rest.
    pub(crate) async fn prefetch_costs(&mut self, limits: &[Limit]) -> [Cost; 3] {
        let prefetch = Arc::new(Prefetch::default());
        let (subject, rule) = (Subject::named("ahead"), PrefetchRule::new(10, Millis::from_secs(1)).unwrap());
        self.limiter.reset(&subject, limits).await.unwrap();
        let mut costs = Vec::new();
        let mut lot = None;
        for decider in [Decider::Redis, Decider::Redis, Decider::HeldUnits] {
            self.take_cost();
            let decided = self
                .ahead(&prefetch)
                .decide_with_prefetch(&subject, limits, 1.into(), Some(rule), Clock::Edge, NOW)
                .await
                .unwrap();
            assert_eq!(decided.decider, decider);
            lot = decided.lot.or(lot);
            costs.push(self.take_cost());
        }
        let lot = lot.expect("the second request takes units");
        for (number, given_back) in [("first", true), ("second", false)] {
            self.take_cost();
            assert_eq!(self.ahead(&prefetch).give_back(&lot, number, Clock::Edge, NOW).await.unwrap(), given_back);
            if given_back {
                costs.push(self.take_cost());
            }
        }
        [costs[1], costs[2], costs[3]]
    }

    fn ahead(&self, prefetch: &Arc<Prefetch>) -> Limiter<&CountingTransport> {
        Limiter::new(self.limiter.transport(), Dialect::Plain).with_prefetch(Arc::clone(prefetch))
    }

    pub(crate) async fn reset(&self, limits: &[Limit]) {
        self.limiter.reset(&acme(), limits).await.unwrap();
    }

    /// Returns the cost of a first settlement when the script is loaded.
    pub(crate) async fn settle_cost(&mut self, limits: &[Limit], correction: Correction) -> Cost {
        let mut cost = self.take_cost();
        for attempt in ["loads", "counts"] {
            let request = RequestId::new(&format!("{correction:?}-{attempt}")).unwrap();
            let settlement = Settlement { request: &request, charged_at: NOW, correction, memory: MINUTE };
            self.wait_for_next_millisecond();
            self.take_cost();
            let outcome = self.limiter.settle(&acme(), limits, &settlement, AT).await.unwrap();
            assert!(matches!(outcome, SettleOutcome::Settle { .. }), "{outcome:?}");
            cost = self.take_cost();
        }
        cost
    }

    /// Waits for the next millisecond of Redis. Two settlements within a millisecond need one command less, because the
    /// first has already set the expiry of the settled ids.
    pub(crate) fn wait_for_next_millisecond(&mut self) {
        let mut millisecond = || {
            let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(&mut self.connection).unwrap();
            (seconds, micros / 1000)
        };
        let now = millisecond();
        while millisecond() == now {}
    }

    /// Returns the cost of the recorder `day` days from now. These tenants use one unit on the day before.
    pub(crate) async fn recorder_cost(&mut self, day: u64, tenants: &[&str]) -> Cost {
        let noon = |day| Millis::new(NOW.get() + day * 86_400_000);
        for tenant in tenants {
            let limits = usage::with_meters(&packed(300));
            self.limiter.check(&Subject::named(tenant), &limits, 1, Now::At(noon(day - 1))).await.unwrap();
        }
        self.take_cost();
        let recorder = Recorder::new(&self.limiter, FixedRuntime, Lease::new(Millis::from_secs(30)).unwrap());
        let report = recorder.run(&format!("recorder-{day}"), noon(day)).await.unwrap();
        assert_eq!(report.end, End::Done, "{report:?}");
        self.take_cost()
    }

    /// Returns the costs of a report of as many tenants as fit, and of the overview of them.
    pub(crate) async fn overview_costs(&mut self) -> [Cost; 2] {
        let config = Config::from_json(
            r#"{"default_plan":"p","plans":{"p":{"limits":[
            {"name":"month","algorithm":"fixed_window","limit":10,"window":"month"}]}}}"#,
        );
        let limits = [Limit::fixed_window(name("month"), 10, Window::Month).unwrap()];
        let mut sightings = Sightings::default();
        for tenant in 0..64 {
            let id = TenantId::new(&format!("t{tenant}")).unwrap();
            self.create_tenant(id.as_str()).await;
            let verdict = self.limiter.check(&id.subject(), &limits, 9, AT).await.unwrap();
            sightings.note(&id, &verdict, Usage { day: 9, total: 9 }, Decider::Redis, NOW);
        }
        let report = sightings.take_report(NOW);
        // The first time loads the script.
        for _ in 0..2 {
            self.take_cost();
            report.send(&self.limiter, NOW).await.unwrap();
        }
        let reporting = self.take_cost();
        let overview = overview::read(&self.limiter, &config.unwrap(), NOW).await.unwrap();
        assert!(overview.more, "all places are taken");
        [reporting, self.take_cost()]
    }

    pub(crate) fn tenants(&self) -> TenantStore<'_, CountingTransport> {
        TenantStore::new(self.limiter.transport(), Dialect::Plain)
    }

    pub(crate) async fn create_tenant(&self, id: &str) {
        let tenant = Tenant::new(Settings::new("pro")).unwrap();
        let created = self.tenants().create(&TenantId::new(id).unwrap(), tenant).await.unwrap();
        assert!(matches!(created, Create::Created(_)));
    }
}

/// The subject that is charged, with what limits may count by.
fn acme() -> Subject {
    Subject::named("acme").with(&By::Country, b"CH").with(&By::Everyone, b"")
}

pub(crate) fn name(text: &str) -> LimitName {
    LimitName::new(text).unwrap()
}

pub(crate) fn packed(quota: u64) -> Vec<Limit> {
    vec![
        Limit::token_bucket(name("burst"), quota, Millis::from_secs(10), None).unwrap(),
        Limit::sliding_window(name("hour"), quota, Millis::from_secs(3600)).unwrap(),
        Limit::fixed_window(name("month"), quota, Window::Month).unwrap(),
    ]
}

/// A runtime with a fixed time and a fixed random number.
struct FixedRuntime;

impl Runtime for FixedRuntime {
    async fn sleep(&self, _duration: Millis) {}

    fn now(&self) -> Millis {
        NOW
    }

    fn random(&self) -> u64 {
        7
    }
}

/// The number of commands, and of the requests that carried them.
pub(crate) type Cost = (u64, u64);

/// 2026-11-23T12:00:00Z.
pub(crate) const NOW: Millis = Millis::new(1_795_435_200_000);
pub(crate) const AT: Now = Now::At(NOW);
pub(crate) const MINUTE: Millis = Millis::from_secs(60);
