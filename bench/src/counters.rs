//! Monotonic counters of CPU time, Redis commands and HTTP calls, read before and after a measurement.

use std::{fs, io, net::SocketAddr, time::Duration};

use redis::RedisError;

use crate::http::{self, Connection, HttpError};

/// The connections through which the counters are read.
pub struct Counters {
    redis: redis::Connection,
    bridge: Connection,
}

/// The values of the counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// CPU time of the contender's process: user and system time of all threads, with a resolution of 10 ms.
    pub cpu: Duration,
    /// Commands that Redis executed, including those inside scripts.
    pub redis_commands: u64,
    /// HTTP requests that the bridge served.
    pub http_calls: u64,
}

/// A counter that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CountersError {
    /// Redis's `INFO`.
    #[error("redis commands cannot be counted: {0}")]
    Redis(#[from] RedisError),
    /// The bridge's `/metrics`.
    #[error("calls to the bridge cannot be counted: {0}")]
    Bridge(#[from] HttpError),
    /// `/proc`.
    #[error("cpu time of workerd cannot be read: {0}")]
    Cpu(#[from] io::Error),
}

impl Counters {
    /// Connects to the Redis at `redis_url` and to the bridge at `bridge`.
    ///
    /// # Errors
    ///
    /// Fails if one of them does not accept the connection.
    pub async fn open(redis_url: &str, bridge: SocketAddr) -> Result<Self, CountersError> {
        let redis = redis::Client::open(redis_url)?.get_connection()?;
        Ok(Self { redis, bridge: Connection::open(bridge).await? })
    }

    /// Reads all counters; `process` is the id of the contender's process. Reading does not change them.
    ///
    /// # Errors
    ///
    /// Fails if one of them cannot be read.
    pub async fn read(&mut self, process: u32) -> Result<Counts, CountersError> {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut self.redis)?;
        let metrics = http::text(self.bridge.get("/metrics", None).await?.into_body()).await?;
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let ticks = cpu_ticks(&stat).ok_or_else(|| io::Error::other(format!("unexpected: {stat}")))?;
        let cpu = Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100);
        Ok(Counts { cpu, redis_commands: redis_commands(&stats), http_calls: http_calls(&metrics) })
    }
}

/// Returns utime + stime of `/proc/PID/stat` (proc(5)). The name before them may contain spaces and parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Returns the number of calls of all commands except `INFO`, which only this program sends.
fn redis_commands(stats: &str) -> u64 {
    let calls = |line: &str| {
        let (command, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        if command == "info" { None } else { numbers.split(',').next()?.parse::<u64>().ok() }
    };
    stats.lines().filter_map(calls).sum()
}

fn http_calls(metrics: &str) -> u64 {
    let count = |line: &str| {
        line.strip_prefix("sluicegate_bridge_http_requests_total{")?.rsplit(' ').next()?.parse::<u64>().ok()
    };
    metrics.lines().filter_map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_after_any_process_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 17 0 0 20 0 5 0 1000 0 0";
        assert_eq!(cpu_ticks(stat), Some(267));
        assert_eq!(cpu_ticks("42 (workerd) S 1"), None);
    }

    #[test]
    fn redis_commands_are_summed() {
        let stats = "# Commandstats\r\ncmdstat_get:calls=3,usec=9,usec_per_call=3.00\r\n\
            cmdstat_info:calls=7,usec=1\r\ncmdstat_script|load:calls=1,usec=2\r\n";
        assert_eq!(redis_commands(stats), 4);
    }

    #[test]
    fn http_calls_are_summed_over_routes() {
        let metrics = "# TYPE sluicegate_bridge_http_requests counter\n\
            sluicegate_bridge_http_requests_total{route=\"command\",status=\"200\"} 40\n\
            sluicegate_bridge_http_requests_total{route=\"pipeline\",status=\"200\"} 2\n\
            sluicegate_bridge_redis_commands_total{command=\"evalsha\"} 40\n# EOF\n";
        assert_eq!(http_calls(metrics), 42);
    }
}
