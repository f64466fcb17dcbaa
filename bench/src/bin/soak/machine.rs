//! Watches whether this machine is fast enough.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use http_body_util::Full;
use hyper::{Request, header::AUTHORIZATION};
use sluicegate_bench::http::{self, Connection, HttpError};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    api::breaker_is_closed,
    timeline::{Cause, Timeline},
};

/// Adds the periods to `timeline` in which the Worker or a healthy Redis answers later than [`SLOW`].
///
/// Such answers can be later than the configured `timeout`, which looks like an outage until the circuit breaker is closed
/// again.
pub(crate) async fn watch(timeline: &Timeline, worker: SocketAddr, network: SocketAddr, token: &str) -> Infallible {
    let mut slow_until = Instant::now();
    let mut start = slow_until;
    loop {
        // A call may have begun shortly before the look that finds the machine slow.
        let before = std::mem::replace(&mut start, Instant::now());
        let closed = timeout(GIVE_UP, look(worker, network, token)).await;
        let took = start.elapsed();
        sleep(INTERVAL).await;
        if timeline.has(Cause::Redis, start, Instant::now()) {
            // What is late has another reason.
            continue;
        }
        // The breaker opens after calls that began earlier.
        let opened_by_it = matches!(closed, Ok(Ok(false))) && start < slow_until + REMEMBER;
        if took > SLOW || opened_by_it {
            timeline.add(Cause::Machine, before, Instant::now());
            slow_until = Instant::now();
        }
    }
}

/// Calls Redis through the network, and the Worker; returns whether the circuit breaker is closed.
async fn look(worker: SocketAddr, network: SocketAddr, token: &str) -> Result<bool, HttpError> {
    let ping = Request::post("/").header(AUTHORIZATION, format!("Bearer {token}"));
    let ping = ping.body(Full::from(r#"["PING"]"#))?;
    let mut connection = Connection::open(network).await?;
    http::drain(connection.send(ping).await?.into_body()).await?;
    breaker_is_closed(&mut Connection::open(worker).await?).await
}

const INTERVAL: Duration = Duration::from_millis(50);

/// Half of the time that a request waits for Redis.
const SLOW: Duration = Duration::from_millis(125);

/// Longer than a call that began when the machine was slow.
const REMEMBER: Duration = Duration::from_secs(1);

const GIVE_UP: Duration = Duration::from_secs(5);
