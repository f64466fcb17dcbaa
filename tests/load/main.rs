//! The limiter under load: a real redis-server behind a real bridge, 64 connections at once, hundreds of subjects, all
//! algorithms, mixed costs, single checks and batches; every integer of every answer compared.
//!
//! `CHECKS=1000000` is the long run.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod crash;
mod falsified;
mod harness;
mod steady;

use sluicegate::limiter::CheckError;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;

/// A redis-server with a bridge in front, both of the test's own.
struct Server {
    redis: RedisServer,
    bridge: BridgeServer,
}

impl Server {
    /// With more options of redis-server.
    async fn start(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let redis = RedisServer::start_with(&options).await.unwrap();
        let bridge = BridgeServer::start(0, harness::load::TOKEN, redis.url()).await.unwrap();
        Server { redis, bridge }
    }

    /// Runs a command beside the bridge.
    fn run<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = redis::Client::open(self.redis.url()).unwrap().get_connection().unwrap();
        let mut built = redis::cmd(command[0]);
        built.arg(&command[1..]);
        built.query(&mut connection).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// How often redis-server has run a command since it started.
    fn count(&self, command: &str) -> u64 {
        let statistics: String = self.run(&["INFO", "commandstats"]);
        let line = statistics.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    }
}

/// Where nothing goes wrong, no error is expected.
fn nothing(_: &CheckError) -> bool {
    false
}
