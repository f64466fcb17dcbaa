//! A real redis-server, and direct calls of `check.lua` on it.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc, reason = "helpers of tests")]

use std::sync::atomic::{AtomicU64, Ordering};

use sluicegate_bridge::RedisServer;

/// A private redis-server with a connection to it. Stops when dropped.
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

    /// Runs a command and returns its reply.
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

    /// Calls `check.lua` and returns its numbers without the time at the end, which it checks. If a limit needs leases,
    /// each request has its own.
    pub(crate) fn check(&mut self, subject: &str, limits: &[Spec], costs: &[u64], now: u64) -> Vec<i64> {
        self.check_batch_timed(&words(subject, limits, costs, now), now)
    }

    /// Like [`Redis::check`], but the keys do not expire: for tests with their own clock.
    pub(crate) fn check_kept(&mut self, subject: &str, limits: &[Spec], costs: &[u64], now: u64) -> Vec<i64> {
        let mut words = words(subject, limits, costs, now);
        words[1] = kept(&words[1]);
        self.check_batch_timed(&words, now)
    }

    /// Like [`Redis::check`], with a cost and a lease id per request.
    pub(crate) fn check_leases(
        &mut self,
        subject: &str,
        limits: &[Spec],
        requests: &[(u64, &str)],
        now: u64,
    ) -> Vec<i64> {
        self.check_batch_timed(&words_with_leases(subject, limits, requests, now), now)
    }

    /// Runs `words`, a check at `now`.
    fn check_batch_timed(&mut self, words: &[String], now: u64) -> Vec<i64> {
        let mut numbers: Vec<i64> = self.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let at = numbers.pop().expect("a time");
        assert!(now == 0 && at > 0 || at == now.cast_signed(), "asked at {now}, judged at {at}");
        numbers
    }

    /// Returns all keys of the subject with the bytes of their values.
    pub(crate) fn dump(&mut self, subject: &str) -> Vec<(String, Vec<u8>)> {
        self.dump_matching(&format!("sg:1:{{{subject}}}*"))
    }

    /// Returns all keys with the bytes of their values.
    pub(crate) fn dump_all(&mut self) -> Vec<(String, Vec<u8>)> {
        self.dump_matching("*")
    }

    fn dump_matching(&mut self, pattern: &str) -> Vec<(String, Vec<u8>)> {
        let mut keys: Vec<String> = self.run(&["KEYS", pattern]);
        keys.sort();
        keys.into_iter().map(|key| (key.clone(), self.run(&["DUMP", &key]))).collect()
    }

    /// Removes the expiry of the subject's keys, for tests with their own clock.
    pub(crate) fn keep(&mut self, subject: &str) {
        let keys: Vec<String> = self.run(&["KEYS", &format!("sg:1:{{{subject}}}*")]);
        for key in keys {
            self.run::<i64>(&["PERSIST", &key]);
        }
    }
}

/// A variant of a script whose keys do not expire. It never passes Redis a time to live: a key of one millisecond would
/// be deleted if the server's clock advanced between two commands.
pub(crate) fn kept(source: &str) -> String {
    format!(
        "local real = redis\n\
         local redis = setmetatable({{}}, {{ __index = real }})\n\
         function redis.call(command, ...)\n\
           local words = {{ ... }}\n\
           if command == 'PEXPIRE' then return real.call('PERSIST', words[1]) end\n\
           if command == 'SET' and words[#words - 1] == 'PX' then return real.call(command, words[1], words[2]) end\n\
           return real.call(command, ...)\n\
         end\n\
         local reply = (function() {source}\nend)()\n\
         for _, key in ipairs(KEYS) do real.call('PERSIST', key) end\n\
         return reply"
    )
}

/// A limit in the form of `check.lua`'s arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) limit: u64,
    /// Milliseconds; the lease of a concurrency limit; 0 for a calendar month.
    pub(crate) window: u64,
    /// The burst, for a token bucket.
    pub(crate) burst: Option<u64>,
}

/// The algorithm of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Log,
    Bucket,
    Fixed,
    Month,
    Sliding,
    Concurrency,
}

pub(crate) fn log(name: &str, limit: u64, window: u64) -> Spec {
    Spec { name: name.to_owned(), kind: Kind::Log, limit, window, burst: None }
}

pub(crate) fn bucket(name: &str, limit: u64, window: u64, burst: u64) -> Spec {
    Spec { name: name.to_owned(), kind: Kind::Bucket, limit, window, burst: Some(burst) }
}

pub(crate) fn fixed(name: &str, limit: u64, window: u64) -> Spec {
    Spec { name: name.to_owned(), kind: Kind::Fixed, limit, window, burst: None }
}

pub(crate) fn month(name: &str, limit: u64) -> Spec {
    Spec { name: name.to_owned(), kind: Kind::Month, limit, window: 0, burst: None }
}

pub(crate) fn sliding(name: &str, limit: u64, window: u64) -> Spec {
    Spec { name: name.to_owned(), kind: Kind::Sliding, limit, window, burst: None }
}

pub(crate) fn concurrency(name: &str, limit: u64, lease: u64) -> Spec {
    Spec { name: name.to_owned(), kind: Kind::Concurrency, limit, window: lease, burst: None }
}

impl Spec {
    /// Returns the arguments of this limit.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let (algorithm, numbers) = match self.kind {
            Kind::Log => ("sliding_log", vec![self.window, self.limit]),
            Kind::Bucket => {
                let divisor = gcd(self.limit, self.window);
                let burst = self.burst.expect("a bucket has a burst");
                ("token_bucket", vec![self.window, burst, self.limit / divisor, self.window / divisor])
            }
            Kind::Fixed => ("fixed_window", vec![self.window, self.limit]),
            Kind::Month => ("fixed_window month", vec![self.limit]),
            Kind::Sliding => ("sliding_window", vec![self.window, self.limit]),
            Kind::Concurrency => ("concurrency", vec![self.window, self.limit]),
        };
        let numbers = numbers.iter().map(u64::to_string);
        std::iter::once(self.name.clone()).chain(algorithm.split(' ').map(str::to_owned)).chain(numbers).collect()
    }

    /// Returns the key of this limit's sorted set, if it has one.
    pub(crate) fn key(&self, subject: &str) -> Option<String> {
        match self.kind {
            Kind::Log => Some(format!("sg:1:{{{subject}}}:log:{}", self.name)),
            Kind::Concurrency => Some(format!("sg:1:{{{subject}}}:inflight:{}", self.name)),
            Kind::Bucket | Kind::Fixed | Kind::Month | Kind::Sliding => None,
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Returns the `EVAL` command of `check.lua`. If a limit needs leases, each request has its own.
pub(crate) fn words(subject: &str, limits: &[Spec], costs: &[u64], now: u64) -> Vec<String> {
    static LEASES: AtomicU64 = AtomicU64::new(0);
    let leases: Vec<_> = costs.iter().map(|_| format!("lease-{}", LEASES.fetch_add(1, Ordering::Relaxed))).collect();
    let requests: Vec<_> = costs.iter().copied().zip(leases.iter().map(String::as_str)).collect();
    words_with_leases(subject, limits, &requests, now)
}

/// Returns the `EVAL` command of `check.lua` with a cost and a lease id per request.
pub(crate) fn words_with_leases(subject: &str, limits: &[Spec], requests: &[(u64, &str)], now: u64) -> Vec<String> {
    let mut keys = vec![format!("sg:1:{{{subject}}}")];
    let mut arguments = vec![now.to_string(), limits.len().to_string()];
    for spec in limits {
        keys.extend(spec.key(subject));
        arguments.extend(spec.arguments());
    }
    let leases = limits.iter().any(|spec| spec.kind == Kind::Concurrency);
    arguments.push(requests.len().to_string());
    for (cost, lease) in requests {
        arguments.push(cost.to_string());
        arguments.extend(leases.then(|| (*lease).to_owned()));
    }
    let mut words = vec!["EVAL".to_owned(), include_str!("../../lua/check.lua").to_owned(), keys.len().to_string()];
    words.extend(keys);
    words.extend(arguments);
    words
}
