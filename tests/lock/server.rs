//! A redis-server behind a bridge, started for one test.

use sluicegate::redis::{HttpTransport, Token};
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;

/// A running redis-server and bridge. Dropping the value stops both.
pub(crate) struct Server {
    connection: redis::Connection,
    url: String,
    _redis: RedisServer,
    _bridge: BridgeServer,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
        let connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        Server { connection, url: bridge.url(), _redis: redis, _bridge: bridge }
    }

    /// Returns a client of the bridge.
    pub(crate) fn transport(&self) -> HttpTransport {
        HttpTransport::new(self.url.parse().unwrap(), &Token::new("token").unwrap(), Millis::from_secs(30))
    }

    /// Runs a command directly on Redis, without the bridge, and returns the reply.
    #[allow(dead_code, reason = "not every test binary uses it")]
    pub(crate) fn run<T: redis::FromRedisValue>(&mut self, command: &[&str]) -> T {
        self.try_run(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    #[allow(dead_code, reason = "not every test binary uses it")]
    pub(crate) fn try_run<T: redis::FromRedisValue>(&mut self, command: &[&str]) -> redis::RedisResult<T> {
        let mut built = redis::cmd(command[0]);
        for argument in &command[1..] {
            built.arg(*argument);
        }
        built.query(&mut self.connection)
    }

    /// Runs a command with arguments of arbitrary bytes.
    #[allow(dead_code, reason = "not every test binary uses it")]
    pub(crate) fn run_bytes<T: redis::FromRedisValue>(&mut self, command: &[&[u8]]) -> T {
        let mut built = redis::Cmd::new();
        for argument in command {
            built.arg(*argument);
        }
        built.query(&mut self.connection).unwrap()
    }

    /// Returns every key with its serialized value and whether it expires.
    #[allow(dead_code, reason = "not every test binary uses it")]
    pub(crate) fn dump(&mut self) -> Vec<(String, Vec<u8>, bool)> {
        let mut keys: Vec<String> = self.run(&["KEYS", "*"]);
        keys.sort();
        let mut dump = Vec::new();
        for key in keys {
            let (value, ttl) = (self.run(&["DUMP", &key]), self.run::<i64>(&["PTTL", &key]));
            dump.push((key, value, ttl >= 0));
        }
        dump
    }
}
