//! The scheduled work: records each tenant's usage in its history.

use std::time::Duration;

use worker::{Delay, Env, ScheduleContext, ScheduledEvent, event};

use super::js::{now, random_bytes, random_uuid};
use super::{log, source};
use crate::redis::lock::{Lease, Runtime};
use crate::tenant::history::Recorder;
use crate::time::Millis;

/// Handles the cron trigger.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Some(refresh) = source::refresh_if_due(&env) {
        refresh.await;
    }
    let isolate = match source::current(&env).await {
        Ok(isolate) => isolate,
        Err(reason) => return log::failure("configuration", &reason),
    };
    if !isolate.config.usage {
        return;
    }
    let Ok(lease) = Lease::new(LEASE) else { return };
    let limiter = isolate.limiter();
    match Recorder::new(&limiter, Edge, lease).with_calls(CALLS).run(&random_uuid(), now()).await {
        Ok(report) => log::recorded(&report),
        Err(error) => log::failure("usage history", &error),
    }
}

/// The clock, timer and random numbers of the Workers runtime.
struct Edge;

impl Runtime for Edge {
    async fn sleep(&self, duration: Millis) {
        Delay::from(Duration::from_millis(duration.get())).await;
    }

    /// The runtime has no monotonic clock; this one advances only after I/O.
    fn now(&self) -> Millis {
        now()
    }

    fn random(&self) -> u64 {
        u64::from_le_bytes(random_bytes())
    }
}

/// Longer than one invocation runs.
const LEASE: Millis = Millis::from_secs(30);

/// The most calls to Redis in one invocation: the free plan of Workers allows 50 subrequests.
const CALLS: u32 = 45;
