//! A real redis-server, and `check.lua` called on it as plainly as it can be.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc, reason = "helpers of tests")]

use sluicegate_bridge::RedisServer;

/// A redis-server of the test's own, with a connection to it. Ends with the value.
pub(crate) struct Redis {
    pub(crate) server: RedisServer,
    pub(crate) connection: redis::Connection,
    _runtime: tokio::runtime::Runtime,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(RedisServer::start()).expect("redis-server starts");
        let connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        Redis { server, connection, _runtime: runtime }
    }

    /// Runs a command and returns what it returns.
    pub(crate) fn run<T: redis::FromRedisValue>(&mut self, command: &[&str]) -> T {
        self.try_run(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    pub(crate) fn try_run<T: redis::FromRedisValue>(&mut self, command: &[&str]) -> redis::RedisResult<T> {
        let mut built = redis::cmd(command.first().expect("a command has a name"));
        for argument in command.iter().skip(1) {
            built.arg(*argument);
        }
        built.query(&mut self.connection)
    }

    /// Calls `check.lua` and returns its numbers.
    pub(crate) fn check(&mut self, subject: &str, limits: &[Spec], costs: &[u64], now: u64) -> Vec<i64> {
        let words = words(subject, limits, costs, now);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Everything the subject has in Redis: each key with its value's bytes.
    pub(crate) fn dump(&mut self, subject: &str) -> Vec<(String, Vec<u8>)> {
        let mut keys: Vec<String> = self.run(&["KEYS", &format!("sg:1:{{{subject}}}*")]);
        keys.sort();
        keys.into_iter().map(|key| (key.clone(), self.run(&["DUMP", &key]))).collect()
    }

    /// Keeps the subject's keys from expiring, where a test's clock is not the server's.
    pub(crate) fn keep(&mut self, subject: &str) {
        let keys: Vec<String> = self.run(&["KEYS", &format!("sg:1:{{{subject}}}*")]);
        for key in keys {
            self.run::<i64>(&["PERSIST", &key]);
        }
    }
}

/// A limit as `check.lua` reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) limit: u64,
    pub(crate) window: u64,
    /// The burst of a token bucket; none: a sliding log.
    pub(crate) burst: Option<u64>,
}

pub(crate) fn log(name: &str, limit: u64, window: u64) -> Spec {
    Spec { name: name.to_owned(), limit, window, burst: None }
}

pub(crate) fn bucket(name: &str, limit: u64, window: u64, burst: u64) -> Spec {
    Spec { name: name.to_owned(), limit, window, burst: Some(burst) }
}

/// The `EVAL` of `check.lua`, word by word.
pub(crate) fn words(subject: &str, limits: &[Spec], costs: &[u64], now: u64) -> Vec<String> {
    let mut keys = vec![format!("sg:1:{{{subject}}}")];
    let mut arguments = vec![now.to_string(), limits.len().to_string()];
    for spec in limits {
        let algorithm = if spec.burst.is_some() { "token_bucket" } else { "sliding_log" };
        arguments.extend([spec.name.clone(), algorithm.to_owned(), spec.limit.to_string(), spec.window.to_string()]);
        match spec.burst {
            Some(burst) => arguments.push(burst.to_string()),
            None => keys.push(format!("sg:1:{{{subject}}}:log:{}", spec.name)),
        }
    }
    arguments.push(costs.len().to_string());
    arguments.extend(costs.iter().map(u64::to_string));
    let mut words = vec!["EVAL".to_owned(), include_str!("../../lua/check.lua").to_owned(), keys.len().to_string()];
    words.extend(keys);
    words.extend(arguments);
    words
}
