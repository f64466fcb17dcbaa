//! The costs in Redis commands and requests in the table of `docs/operations.md` match the counts of Redis.

use std::cell::Cell;

use sluicegate::limit::{CheckRequest, LeaseId, Limit, LimitName, Subject, Window, usage};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::redis as rest;
use sluicegate::redis::lock::{Lease, Runtime};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{Command, HttpTransport, RedisError, Response, Token, Transport};
use sluicegate::tenant::history::{End, Recorder};
use sluicegate::tenant::store::{Create, TenantStore};
use sluicegate::tenant::{Settings, Tenant, TenantId};
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;

use crate::document;

/// A limiter with its own Redis, which counts the cost of operations.
struct CostMeter {
    limiter: Limiter<CountingTransport>,
    connection: redis::Connection,
    leases: u64,
    _redis: RedisServer,
    _bridge: BridgeServer,
}

/// A transport that counts requests.
struct CountingTransport {
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
    async fn start() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
        let connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        let token = Token::new("token").unwrap();
        let transport = HttpTransport::new(bridge.url().parse().unwrap(), &token, Millis::from_secs(30));
        let transport = CountingTransport { transport, requests: Cell::new(0) };
        let limiter = Limiter::new(transport, Dialect::Plain);
        CostMeter { limiter, connection, leases: 0, _redis: redis, _bridge: bridge }
    }

    /// Returns the commands that Redis has run, including those of scripts, and the requests since the last call.
    fn take_cost(&mut self) -> Cost {
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
    async fn check_cost(&mut self, limits: &[Limit], allowed: bool, now: Now) -> Cost {
        self.leases += 1;
        let lease = LeaseId::new(&format!("lease-{}", self.leases)).unwrap();
        let lease = limits.iter().any(Limit::needs_lease).then_some(&lease);
        let request = CheckRequest { cost: 1, lease };
        self.take_cost();
        let verdict = self.limiter.check(&Subject::named("acme"), limits, request, now).await.unwrap();
        assert_eq!(verdict.is_allow(), allowed);
        self.take_cost()
    }

    /// Returns the costs of an allowed and a denied check. An earlier check loads the scripts and creates the state.
    async fn allow_and_deny_costs(&mut self, limits: &[Limit]) -> [Cost; 2] {
        self.reset(limits).await;
        self.check_cost(limits, true, AT).await;
        let allowed = self.check_cost(limits, true, AT).await;
        [allowed, self.check_cost(limits, false, AT).await]
    }

    async fn reset(&self, limits: &[Limit]) {
        self.limiter.reset(&Subject::named("acme"), limits).await.unwrap();
    }

    /// Returns the cost of a first settlement when the script is loaded.
    async fn settle_cost(&mut self, limits: &[Limit], correction: Correction) -> Cost {
        let mut cost = self.take_cost();
        for attempt in ["loads", "counts"] {
            let request = RequestId::new(&format!("{correction:?}-{attempt}")).unwrap();
            let settlement = Settlement { request: &request, charged_at: NOW, correction, memory: MINUTE };
            self.wait_for_next_millisecond();
            self.take_cost();
            let outcome = self.limiter.settle(&Subject::named("acme"), limits, &settlement, AT).await.unwrap();
            assert!(matches!(outcome, SettleOutcome::Settle { .. }), "{outcome:?}");
            cost = self.take_cost();
        }
        cost
    }

    /// Waits for the next millisecond of Redis. Two settlements within a millisecond need one command less, because the
    /// first has already set the expiry of the settled ids.
    fn wait_for_next_millisecond(&mut self) {
        let mut millisecond = || {
            let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(&mut self.connection).unwrap();
            (seconds, micros / 1000)
        };
        let now = millisecond();
        while millisecond() == now {}
    }

    /// Returns the cost of the recorder `day` days from now. These tenants use one unit on the day before.
    async fn recorder_cost(&mut self, day: u64, tenants: &[&str]) -> Cost {
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

    fn tenants(&self) -> TenantStore<'_, CountingTransport> {
        TenantStore::new(self.limiter.transport(), Dialect::Plain)
    }

    async fn create_tenant(&self, id: &str) {
        let tenant = Tenant::new(Settings::new("pro")).unwrap();
        let created = self.tenants().create(&TenantId::new(id).unwrap(), tenant).await.unwrap();
        assert!(matches!(created, Create::Created(_)));
    }
}

fn name(text: &str) -> LimitName {
    LimitName::new(text).unwrap()
}

fn packed(quota: u64) -> Vec<Limit> {
    vec![
        Limit::token_bucket(name("burst"), quota, Millis::from_secs(10), None).unwrap(),
        Limit::sliding_window(name("hour"), quota, Millis::from_secs(3600)).unwrap(),
        Limit::fixed_window(name("month"), quota, Window::Month).unwrap(),
    ]
}

/// Returns the cost `more` less the cost `less`.
fn difference(more: Cost, less: Cost) -> Cost {
    (more.0 - less.0, more.1 - less.1)
}

/// Returns the additional cost of each limit of this kind, for an allowed and a denied check. Each denies the third
/// request.
async fn cost_per_limit(meter: &mut CostMeter, kind: impl Fn(&str) -> Limit) -> [Cost; 2] {
    let without = meter.allow_and_deny_costs(&packed(2)).await;
    let one = meter.allow_and_deny_costs(&[packed(300), vec![kind("a")]].concat()).await;
    let two = meter.allow_and_deny_costs(&[packed(300), vec![kind("b"), kind("c")]].concat()).await;
    let [allowed, denied] = [0, 1].map(|i| difference(one[i], without[i]));
    assert_eq!([0, 1].map(|i| difference(two[i], one[i])), [allowed, denied], "two limits cost twice as much as one");
    [allowed, denied]
}

#[tokio::test]
async fn documented_costs_match_what_redis_counts() {
    let mut meter = CostMeter::start().await;
    let mut table: Vec<(&str, Cost)> = Vec::new();

    let [allowed, denied] = meter.allow_and_deny_costs(&packed(2)).await;
    table.push(("a request that packed limits admit", allowed));
    table.push(("a request that they refuse", denied));
    let metered = meter.allow_and_deny_costs(&usage::with_meters(&packed(2))).await;
    table.push(("counting the usage of a tenant, more", difference(metered[0], allowed)));
    meter.reset(&[]).await;
    table
        .push(("`clock = \"redis\"`, more", difference(meter.check_cost(&packed(2), true, Now::Redis).await, allowed)));

    let log = |text: &str| Limit::sliding_log(name(text), 2, MINUTE).unwrap();
    let [allowed, denied] = cost_per_limit(&mut meter, log).await;
    table.push(("each `sliding_log` that admits, more", allowed));
    table.push(("each `sliding_log` that refuses, more", denied));
    let inflight = |text: &str| Limit::concurrency(name(text), 2, MINUTE).unwrap();
    let [allowed, denied] = cost_per_limit(&mut meter, inflight).await;
    table.push(("each `concurrency` that admits, more", allowed));
    table.push(("each `concurrency` that refuses, more", denied));
    meter.check_cost(&[inflight("d")], true, AT).await;
    for id in ["that-loads-the-script".to_owned(), format!("lease-{}", meter.leases)] {
        meter.take_cost();
        meter.limiter.release(&Subject::named("acme"), &[inflight("d")], &LeaseId::new(&id).unwrap()).await.unwrap();
    }
    table.push(("the end of a lease", meter.take_cost()));

    meter.check_cost(&packed(300), true, AT).await;
    table.push((
        "a cost at packed limits that is corrected upwards",
        meter.settle_cost(&packed(300), Correction::Charge(2)).await,
    ));
    table.push(("… downwards, or to nothing", meter.settle_cost(&packed(300), Correction::GiveBack(1)).await));

    meter.create_tenant("acme").await;
    meter.take_cost();
    assert!(meter.tenants().get(&TenantId::new("acme").unwrap()).await.unwrap().is_some());
    table.push(("reading a tenant", meter.take_cost()));
    rest::run::<String>(meter.limiter.transport(), Command::new("PING")).await.unwrap();
    table.push(("the health, once a second at most", meter.take_cost()));

    meter.reset(&packed(1)).await;
    meter.recorder_cost(1, &["acme"]).await;
    table.push(("a run of the cron trigger that has nothing to do", meter.recorder_cost(1, &[]).await));
    let one = meter.recorder_cost(2, &["acme"]).await;
    meter.create_tenant("bolt").await;
    meter.recorder_cost(3, &["acme", "bolt"]).await;
    let two = meter.recorder_cost(4, &["acme", "bolt"]).await;
    let used = difference(two, one);
    let idle = difference(meter.recorder_cost(5, &["acme"]).await, one);
    table.push(("once a day, all tenants together", difference(one, used)));
    table.push(("once a day, a tenant that used something", used));
    table.push(("once a day, one that did not", idle));

    let text = document("docs/operations.md");
    let below = text.split_once("\n| what | commands | requests |\n").expect("the table").1;
    let documented: Vec<&str> = below.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    let counted: Vec<String> =
        table.iter().map(|(what, (commands, requests))| format!("| {what} | {commands} | {requests} |")).collect();
    assert_eq!(documented, counted, "\n{}", counted.join("\n"));
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
type Cost = (u64, u64);

/// 2026-11-23T12:00:00Z.
const NOW: Millis = Millis::new(1_795_435_200_000);
const AT: Now = Now::At(NOW);
const MINUTE: Millis = Millis::from_secs(60);
