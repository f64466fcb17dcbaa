//! What things cost in commands of Redis: the table in docs/operations.md, counted by Redis itself.

use std::cell::Cell;

use sluicegate::history::Recorder;
use sluicegate::limiter::{Limiter, Now};
use sluicegate::lock::{Lease, Runtime};
use sluicegate::meter;
use sluicegate::policy::{Limit, LimitName, Window};
use sluicegate::question::{LeaseId, Request};
use sluicegate::redis::{self as rest, Answer, Command, HttpTransport, RedisError, Token, Transport};
use sluicegate::script::Spelling;
use sluicegate::settle::{Correction, RequestId, Settlement};
use sluicegate::subject::Subject;
use sluicegate::tenant::{Settings, Tenant, TenantId};
use sluicegate::tenants::Tenants;
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
    async fn post(&self, body: String) -> Result<Answer, RedisError> {
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
        let limiter = Limiter::new(transport, Spelling::Plain);
        Till { limiter, connection, leases: 0, _redis: redis, _bridge: bridge }
    }

    /// The commands that Redis has run, those of scripts included, and the requests that it took: since the last call.
    fn bill(&mut self) -> (u64, u64) {
        let statistics: String = redis::cmd("INFO").arg("commandstats").query(&mut self.connection).unwrap();
        redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut self.connection).unwrap();
        let calls = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let ours = !["info", "config"].iter().any(|own| name.starts_with(own));
            ours.then(|| rest.split(',').next().unwrap().parse::<u64>().unwrap())
        };
        (statistics.lines().filter_map(calls).sum(), self.limiter.transport().requests.replace(0))
    }

    /// What a request of this cost at `now` costs, and whether it passes.
    async fn asks(&mut self, subject: &str, limits: &[Limit], cost: u64, now: Now) -> (bool, u64, u64) {
        self.bill();
        self.leases += 1;
        let lease = LeaseId::new(&format!("lease-{}", self.leases)).unwrap();
        let lease = limits.iter().any(Limit::needs_lease).then_some(&lease);
        let request = Request { cost, lease };
        let verdict = self.limiter.check(&Subject::named(subject), limits, request, now).await.unwrap();
        let (commands, requests) = self.bill();
        (verdict.is_allow(), commands, requests)
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

#[tokio::test]
async fn explore() {
    let mut till = Till::open().await;
    let at = Now::At(NOW);
    println!("warm {:?}", till.asks("w", &packed(9), 1, at).await);
    for limits in [packed(3), meter::with_meters(&packed(3))] {
        for _ in 0..4 {
            println!("packed {:?}", till.asks(&format!("p{}", limits.len()), &limits, 1, at).await);
        }
    }
    println!("clock {:?}", till.asks("c", &packed(3), 1, Now::Redis).await);
    let log = vec![Limit::sliding_log(name("log"), 3, Millis::from_secs(10)).unwrap()];
    for i in 0..10 {
        println!("log {i} {:?}", till.asks("l", &log, 1, Now::At(Millis::new(NOW.get() + i * 1500))).await);
    }
    let both = [log.clone(), packed(30)].concat();
    for i in 0..10 {
        println!("both {i} {:?}", till.asks("b", &both, 1, Now::At(Millis::new(NOW.get() + i * 1500))).await);
    }
    let con = vec![Limit::concurrency(name("inflight"), 3, Millis::from_secs(10)).unwrap()];
    for i in 0..10 {
        println!("con {i} {:?}", till.asks("i", &con, 1, Now::At(Millis::new(NOW.get() + i * 1500))).await);
    }
    let both = [con.clone(), packed(30)].concat();
    for i in 0..10 {
        println!("con+packed {i} {:?}", till.asks("j", &both, 1, Now::At(Millis::new(NOW.get() + i * 1500))).await);
    }
    let big = vec![Limit::sliding_log(name("log"), 1000, Millis::from_secs(1000)).unwrap()];
    for i in 0..1001 {
        let cost = till.asks("big", &big, if i == 1000 { 400 } else { 1 + i % 2 * u64::from(i < 10) }, Now::At(Millis::new(NOW.get() + i * i % 977))).await;
        if i > 985 { println!("big {i} {cost:?}"); }
    }
    for (what, limits) in [("packed", packed(300)), ("log", log), ("con", con)] {
        till.asks("s", &limits, 3, at).await;
        for correction in [Correction::Charge(2), Correction::GiveBack(2)] {
            let request = RequestId::new(&format!("{what}{correction:?}")).unwrap();
            let settlement = Settlement { request: &request, charged_at: NOW, correction, memory: Millis::from_secs(60) };
            for _ in 0..2 {
                till.limiter.settle(&Subject::named("s"), &limits, &settlement, at).await.unwrap();
                println!("settle {what} {correction:?} {:?}", till.bill());
            }
        }
        till.limiter.release(&Subject::named("s"), &limits, &LeaseId::new("x").unwrap()).await.unwrap();
        println!("release {what} {:?}", till.bill());
        till.limiter.release(&Subject::named("s"), &limits, &LeaseId::new("x").unwrap()).await.unwrap();
        println!("release {what} {:?}", till.bill());
    }
    rest::run::<String>(till.limiter.transport(), Command::new("PING")).await.unwrap();
    println!("ping {:?}", till.bill());
    let acme = TenantId::new("acme").unwrap();
    Tenants::new(till.limiter.transport(), Spelling::Plain).create(&acme, Tenant::new(Settings::new("pro")).unwrap()).await.unwrap();
    println!("create {:?}", till.bill());
    Tenants::new(till.limiter.transport(), Spelling::Plain).get(&acme).await.unwrap();
    println!("get {:?}", till.bill());
    for day in 0..5 {
        let now = Millis::new(NOW.get() + day * 86_400_000);
        if day < 3 {
            till.asks("acme", &meter::with_meters(&packed(300)), 1, Now::At(now)).await;
        }
        for _ in 0..2 {
            let recorder = Recorder::new(&till.limiter, Still, Lease::new(Millis::from_secs(30)).unwrap());
            let report = recorder.run(&format!("r{day}"), now).await.unwrap();
            println!("record {day} {:?} {report:?}", till.bill());
        }
    }
    document("README.md");
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

/// 2026-11-23T12:00:00Z.
const NOW: Millis = Millis::new(1_795_435_200_000);
