//! The faults, one after another.

use std::{io, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use sluicegate_bench::http::Connection;
use sluicegate_devstack::{Fault, network::Answer};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    api::breaker_is_closed,
    record::Record,
    site::{Site, SiteError},
    timeline::Cause,
};

/// A way in which a part fails.
#[derive(Clone, Debug)]
enum Failure {
    Network(Fault),
    /// Redis stops in the middle of whatever it does, and continues later.
    RedisHangs,
    RedisDown,
    RedisRestarts,
    BridgeRestarts,
    Disconnect,
    FlushAll,
    ScriptFlush,
    OriginDown,
}

/// How long faults last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    fault: Duration,
    healthy: Duration,
}

/// What has happened with the faults of a run.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) count: u64,
    pub(crate) kinds: usize,
    /// From the end of a fault until Redis decides again.
    pub(crate) slowest_recovery: Duration,
    /// Faults after which it took too long.
    pub(crate) unrecovered: Vec<&'static str>,
}

impl Pace {
    /// Fits each kind of fault into a run, if it is long enough.
    pub(crate) fn of(run: Duration) -> Self {
        let turn = run / u32::try_from(kinds().len() + 1).unwrap_or(u32::MAX);
        let fault = (turn / 3).min(LONGEST);
        Self { fault, healthy: fault * 2 }
    }
}

/// Lets one fault after another happen until `end`, with healthy time between them.
pub(crate) async fn run(site: &mut Site, record: &Record, pace: Pace, end: Instant) -> Result<Faults, SiteError> {
    let kinds = kinds();
    let mut faults = Faults { kinds: kinds.len(), ..Faults::default() };
    for (name, failure) in kinds.into_iter().cycle() {
        sleep(pace.healthy).await;
        if Instant::now() + pace.fault + pace.healthy > end {
            break;
        }
        let cause = failure.cause();
        record.timeline.begin(cause, name, Instant::now());
        failure.happen(site, pace.fault).await?;
        let recovery = recover(site).await;
        record.timeline.end(cause, Instant::now());
        match recovery {
            Some(time) => faults.slowest_recovery = faults.slowest_recovery.max(time),
            None => faults.unrecovered.push(name),
        }
        faults.count += 1;
    }
    sleep_until(end).await;
    Ok(faults)
}

/// Waits until the circuit breaker is closed; returns how long it took, or `None` if it took too long.
async fn recover(site: &Site) -> Option<Duration> {
    let start = Instant::now();
    while start.elapsed() < RECOVERY {
        if let Ok(mut connection) = Connection::open(site.workerd.address()).await
            && let Ok(true) = breaker_is_closed(&mut connection).await
        {
            return Some(start.elapsed());
        }
        sleep(POLL_INTERVAL).await;
    }
    None
}

impl Failure {
    fn cause(&self) -> Cause {
        match self {
            Failure::ScriptFlush => Cause::Scripts,
            Failure::FlushAll => Cause::Tenants,
            Failure::OriginDown => Cause::Origin,
            _ => Cause::Redis,
        }
    }

    /// Lets it happen; those that last are over after `duration`.
    async fn happen(&self, site: &mut Site, duration: Duration) -> Result<(), SiteError> {
        match self {
            Failure::Network(fault) => {
                site.network.inject(fault.clone()).await;
                sleep(duration).await;
                site.network.heal().await;
            }
            Failure::RedisHangs => {
                let process = redis_process(site)?;
                signal(process, Signal::STOP)?;
                sleep(duration).await;
                signal(process, Signal::CONT)?;
            }
            Failure::RedisDown => {
                site.redis.kill().await;
                sleep(duration).await;
                site.redis.restart().await?;
            }
            Failure::OriginDown => {
                site.origin.stop().await;
                sleep(duration).await;
                site.origin.restart().await?;
            }
            Failure::RedisRestarts => site.redis.restart().await?,
            Failure::BridgeRestarts => site.bridge.restart().await?,
            Failure::Disconnect => site.network.cut(),
            Failure::FlushAll => {
                site.redis::<()>(&["FLUSHALL"])?;
                site.target.create_tenants().await?;
            }
            Failure::ScriptFlush => site.redis(&["SCRIPT", "FLUSH"])?,
        }
        Ok(())
    }
}

fn kinds() -> Vec<(&'static str, Failure)> {
    let answer = |status, kind, body| Failure::Network(Fault::Answer(Answer::new(status, kind, body)));
    let json = "application/json";
    vec![
        ("Redis hangs", Failure::RedisHangs),
        ("FLUSHALL", Failure::FlushAll),
        ("no request arrives", Failure::Network(Fault::HoldRequests)),
        ("SCRIPT FLUSH", Failure::ScriptFlush),
        ("no response arrives", Failure::Network(Fault::HoldResponses)),
        ("connections are refused", Failure::Network(Fault::Refuse)),
        ("responses break off", Failure::Network(Fault::Reset)),
        ("the origin is down", Failure::OriginDown),
        ("responses are late", Failure::Network(Fault::Delay(Duration::from_secs(1)))),
        ("responses drip", Failure::Network(Fault::Drip(Duration::from_millis(200)))),
        ("no body arrives", Failure::Network(Fault::HoldBody)),
        ("half of a body arrives", Failure::Network(Fault::HoldHalfBody)),
        ("Redis is down", Failure::RedisDown),
        ("Redis restarts", Failure::RedisRestarts),
        ("the bridge restarts", Failure::BridgeRestarts),
        ("all connections break", Failure::Disconnect),
        ("status 401", answer(401, json, r#"{"error":"WRONGPASS invalid or missing auth token"}"#)),
        ("status 429", answer(429, json, r#"{"error":"too many requests"}"#)),
        ("status 500", answer(500, "text/html", "<h1>Internal Server Error</h1>")),
        ("JSON is cut off", answer(200, json, r#"{"result":[1,"#)),
    ]
}

/// Returns the id of the process of Redis, which cannot be asked while it is stopped.
fn redis_process(site: &Site) -> Result<Pid, SiteError> {
    let about: String = site.redis(&["INFO", "server"])?;
    let id = about.lines().find_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok());
    id.and_then(Pid::from_raw).ok_or_else(|| SiteError::io("INFO of redis-server", io::ErrorKind::NotFound))
}

fn signal(process: Pid, signal: Signal) -> Result<(), SiteError> {
    kill_process(process, signal).map_err(|error| SiteError::io("redis-server", error))
}

/// The longest fault. The longest pause of the circuit breaker is then about as long.
const LONGEST: Duration = Duration::from_secs(4);

/// The longest pause of a circuit breaker, and a margin.
const RECOVERY: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
