//! What things cost in commands of Redis: the table in docs/operations.md, counted by Redis itself.

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

/// A limiter over a Redis of its own, and what it has cost.
struct Till {
    limiter: Limiter<Counted>,
    connection: redis::Connection,
    leases: u64,
    _redis: RedisServer,
    _bridge: BridgeServer,
}

/// A transport that counts the requests.
struct Counted {
    transport: HttpTransport,
    requests: Cell<u64>,
}

impl Transport for Counted {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.requests.set(self.requests.get() + 1);
        self.transport.post(body).await
    }
}

impl Till {
    async fn open() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
        let connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        let token = Token::new("token").unwrap();
        let transport = HttpTransport::new(bridge.url().parse().unwrap(), &token, Millis::from_secs(30));
        let transport = Counted { transport, requests: Cell::new(0) };
        let limiter = Limiter::new(transport, Dialect::Plain);
        Till { limiter, connection, leases: 0, _redis: redis, _bridge: bridge }
    }

    /// The commands that Redis has run, those of scripts included, and the requests that it took: since the last call.
    fn bill(&mut self) -> Bill {
        let statistics: String = redis::cmd("INFO").arg("commandstats").query(&mut self.connection).unwrap();
        redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut self.connection).unwrap();
        let calls = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let ours = !["info", "config"].iter().any(|own| name.starts_with(own));
            ours.then(|| rest.split(',').next().unwrap().parse::<u64>().unwrap())
        };
        (statistics.lines().filter_map(calls).sum(), self.limiter.transport().requests.replace(0))
    }

    /// The bill of a request of one unit, which is expected to pass or not.
    async fn asks(&mut self, limits: &[Limit], passes: bool, now: Now) -> Bill {
        self.leases += 1;
        let lease = LeaseId::new(&format!("lease-{}", self.leases)).unwrap();
        let lease = limits.iter().any(Limit::needs_lease).then_some(&lease);
        let request = CheckRequest { cost: 1, lease };
        self.bill();
        let verdict = self.limiter.check(&Subject::named("acme"), limits, request, now).await.unwrap();
        assert_eq!(verdict.is_allow(), passes);
        self.bill()
    }

    /// The bills of two requests, of which the second is refused. The requests before them make sure that every branch
    /// has been taken once, and that the scripts are loaded.
    async fn admits_and_refuses(&mut self, limits: &[Limit]) -> [Bill; 2] {
        self.forget(limits).await;
        self.asks(limits, true, AT).await;
        let admitted = self.asks(limits, true, AT).await;
        [admitted, self.asks(limits, false, AT).await]
    }

    async fn forget(&self, limits: &[Limit]) {
        self.limiter.reset(&Subject::named("acme"), limits).await.unwrap();
    }

    /// The bill of a correction that comes for the first time; the script is loaded.
    async fn settles(&mut self, limits: &[Limit], correction: Correction) -> Bill {
        let mut bill = self.bill();
        for attempt in ["loads", "counts"] {
            let request = RequestId::new(&format!("{correction:?}-{attempt}")).unwrap();
            let settlement = Settlement { request: &request, charged_at: NOW, correction, memory: MINUTE };
            self.a_millisecond_passes();
            self.bill();
            let outcome = self.limiter.settle(&Subject::named("acme"), limits, &settlement, AT).await.unwrap();
            assert!(matches!(outcome, SettleOutcome::Settle { .. }), "{outcome:?}");
            bill = self.bill();
        }
        bill
    }

    /// Two settlements within a millisecond need one command less: the ids are remembered so long already.
    fn a_millisecond_passes(&mut self) {
        let mut millisecond = || {
            let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(&mut self.connection).unwrap();
            (seconds, micros / 1000)
        };
        let now = millisecond();
        while millisecond() == now {}
    }

    /// The bill of the recorder on the day of this number from now on, on which these tenants use something before.
    async fn records(&mut self, day: u64, tenants: &[&str]) -> Bill {
        let noon = |day| Millis::new(NOW.get() + day * 86_400_000);
        for tenant in tenants {
            let limits = usage::with_meters(&packed(300));
            self.limiter.check(&Subject::named(tenant), &limits, 1, Now::At(noon(day - 1))).await.unwrap();
        }
        self.bill();
        let recorder = Recorder::new(&self.limiter, Still, Lease::new(Millis::from_secs(30)).unwrap());
        let report = recorder.run(&format!("recorder-{day}"), noon(day)).await.unwrap();
        assert_eq!(report.end, End::Done, "{report:?}");
        self.bill()
    }

    fn tenants(&self) -> TenantStore<'_, Counted> {
        TenantStore::new(self.limiter.transport(), Dialect::Plain)
    }

    async fn tenant(&self, id: &str) {
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

/// What `more` costs beyond `less`.
fn beyond(more: Bill, less: Bill) -> Bill {
    (more.0 - less.0, more.1 - less.1)
}

/// Packed limits with one or two limits of this kind, each of which refuses the third request.
async fn each(till: &mut Till, kind: impl Fn(&str) -> Limit) -> [Bill; 2] {
    let without = till.admits_and_refuses(&packed(2)).await;
    let one = till.admits_and_refuses(&[packed(300), vec![kind("a")]].concat()).await;
    let two = till.admits_and_refuses(&[packed(300), vec![kind("b"), kind("c")]].concat()).await;
    let [admitted, refused] = [0, 1].map(|i| beyond(one[i], without[i]));
    assert_eq!([0, 1].map(|i| beyond(two[i], one[i])), [admitted, refused], "twice as many, twice as much");
    [admitted, refused]
}

#[tokio::test]
async fn documented_costs_match_what_redis_counts() {
    let mut till = Till::open().await;
    let mut table: Vec<(&str, Bill)> = Vec::new();

    let [admitted, refused] = till.admits_and_refuses(&packed(2)).await;
    table.push(("a request that packed limits admit", admitted));
    table.push(("a request that they refuse", refused));
    let metered = till.admits_and_refuses(&usage::with_meters(&packed(2))).await;
    table.push(("counting the usage of a tenant, more", beyond(metered[0], admitted)));
    till.forget(&[]).await;
    table.push(("`clock = \"redis\"`, more", beyond(till.asks(&packed(2), true, Now::Redis).await, admitted)));

    let log = |text: &str| Limit::sliding_log(name(text), 2, MINUTE).unwrap();
    let [admitted, refused] = each(&mut till, log).await;
    table.push(("each `sliding_log` that admits, more", admitted));
    table.push(("each `sliding_log` that refuses, more", refused));
    let inflight = |text: &str| Limit::concurrency(name(text), 2, MINUTE).unwrap();
    let [admitted, refused] = each(&mut till, inflight).await;
    table.push(("each `concurrency` that admits, more", admitted));
    table.push(("each `concurrency` that refuses, more", refused));
    till.asks(&[inflight("d")], true, AT).await;
    for id in ["that-loads-the-script".to_owned(), format!("lease-{}", till.leases)] {
        till.bill();
        till.limiter.release(&Subject::named("acme"), &[inflight("d")], &LeaseId::new(&id).unwrap()).await.unwrap();
    }
    table.push(("the end of a lease", till.bill()));

    till.asks(&packed(300), true, AT).await;
    table.push((
        "a cost at packed limits that is corrected upwards",
        till.settles(&packed(300), Correction::Charge(2)).await,
    ));
    table.push(("… downwards, or to nothing", till.settles(&packed(300), Correction::GiveBack(1)).await));

    till.tenant("acme").await;
    till.bill();
    assert!(till.tenants().get(&TenantId::new("acme").unwrap()).await.unwrap().is_some());
    table.push(("reading a tenant", till.bill()));
    rest::run::<String>(till.limiter.transport(), Command::new("PING")).await.unwrap();
    table.push(("the health, once a second at most", till.bill()));

    till.forget(&packed(1)).await;
    till.records(1, &["acme"]).await;
    table.push(("a run of the cron trigger that has nothing to do", till.records(1, &[]).await));
    let one = till.records(2, &["acme"]).await;
    till.tenant("bolt").await;
    till.records(3, &["acme", "bolt"]).await;
    let two = till.records(4, &["acme", "bolt"]).await;
    let used = beyond(two, one);
    let idle = beyond(till.records(5, &["acme"]).await, one);
    table.push(("once a day, all tenants together", beyond(one, used)));
    table.push(("once a day, a tenant that used something", used));
    table.push(("once a day, one that did not", idle));

    let text = document("docs/operations.md");
    let below = text.split_once("\n| what | commands | requests |\n").expect("the table").1;
    let documented: Vec<&str> = below.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    let counted: Vec<String> =
        table.iter().map(|(what, (commands, requests))| format!("| {what} | {commands} | {requests} |")).collect();
    assert_eq!(documented, counted, "\n{}", counted.join("\n"));
}

/// A clock that stands still, and no chance.
struct Still;

impl Runtime for Still {
    async fn sleep(&self, _duration: Millis) {}

    fn now(&self) -> Millis {
        NOW
    }

    fn random(&self) -> u64 {
        7
    }
}

/// Commands, and requests that carried them.
type Bill = (u64, u64);

/// 2026-11-23T12:00:00Z.
const NOW: Millis = Millis::new(1_795_435_200_000);
const AT: Now = Now::At(NOW);
const MINUTE: Millis = Millis::from_secs(60);
