//! A real redis-server on the test's clock: keys expire when the test advances the time, and every time to live is
//! known to the millisecond.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests"
)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use redis::{RedisResult, Value};
use sluicegate::limiter::Limiter;
use sluicegate::redis::script::{self, Dialect};

use super::direct::{DirectTransport, RunCommand};
use super::support::Redis;

/// Runs a wrapper around each script, which gives the keys their remaining time to live, runs the script, reads the new
/// times to live, and removes them again.
pub(crate) struct Clocked {
    pub(crate) redis: RefCell<Redis>,
    /// The SHA-1 of the wrapper by the SHA-1 of the script.
    observed: HashMap<String, String>,
    now: Cell<u64>,
    /// When each key expires.
    ends: RefCell<HashMap<String, u64>>,
    seen: RefCell<Vec<Seen>>,
}

/// A key of a call.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) key: String,
    /// Its time to live before the call, in milliseconds.
    pub(crate) before: Option<u64>,
    /// Its time to live after the call, in milliseconds.
    pub(crate) after: Life,
    /// How far Redis's own clock advanced meanwhile, in milliseconds: `after` may be too low by this.
    pub(crate) blur: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Absent,
    Forever,
    Ms(u64),
}

/// A fault injected into a time to live: an expression for `ms`, or `None`.
pub(crate) type Mistake = Option<&'static str>;

impl Clocked {
    pub(crate) fn start() -> Self {
        Self::with(Some("ms"))
    }

    /// Replaces every time to live that a script sets; `None` removes them.
    pub(crate) fn with(mistake: Mistake) -> Self {
        let mut redis = Redis::start();
        let load = |script: &&script::Script| {
            let sha: String = redis.run(&["SCRIPT", "LOAD", &observed(script.source, mistake)]);
            (script.in_dialect(Dialect::Plain).sha1.clone(), sha)
        };
        let observed = script::ALL.iter().map(load).collect();
        Clocked {
            redis: RefCell::new(redis),
            observed,
            now: Cell::new(0),
            ends: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.redis.borrow_mut().run::<()>(&["FLUSHALL"]);
        self.ends.borrow_mut().clear();
        self.now.set(0);
    }

    /// Advances the server's clock. It never goes back.
    pub(crate) fn reach(&self, now: u64) {
        self.now.set(self.now.get().max(now));
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.now.set(self.now.get() + ms);
    }

    /// A limiter whose keys expire.
    pub(crate) fn limiter(&self) -> Limiter<ClockedTransport<'_>> {
        Limiter::new(DirectTransport(ClockedCommands { server: self, forgets: true }), Dialect::Plain)
    }

    /// A limiter whose keys never expire.
    pub(crate) fn unforgetting(&self) -> Limiter<ClockedTransport<'_>> {
        Limiter::new(DirectTransport(ClockedCommands { server: self, forgets: false }), Dialect::Plain)
    }

    /// The keys of the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Sets how long a key really lives, if the test knows it better than Redis.
    pub(crate) fn know(&self, key: &str, ms: u64) {
        self.ends.borrow_mut().insert(key.to_owned(), self.now.get() + ms);
    }

    fn left(&self, key: &str) -> Option<u64> {
        self.ends.borrow().get(key).map(|end| end.saturating_sub(self.now.get()))
    }

    fn call(&self, mut words: Vec<String>, forgets: bool) -> RedisResult<Value> {
        assert_eq!(words[0], "EVALSHA", "the scripts are there");
        let observed = &self.observed[&words[1]];
        words[1].clone_from(observed);
        let keys = words[3..3 + words[2].parse::<usize>().unwrap()].to_vec();
        let lefts: Vec<Option<u64>> = keys.iter().map(|key| if forgets { self.left(key) } else { None }).collect();
        words.extend(lefts.iter().map(|left| left.map_or("-1".to_owned(), |left| left.to_string())));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (reply, lives, blur) = self.redis.borrow_mut().try_run::<(Value, Vec<i64>, u64)>(&words)?;
        if forgets {
            self.see(&keys, &lefts, &lives, blur);
        }
        Ok(reply)
    }

    fn see(&self, keys: &[String], lefts: &[Option<u64>], lives: &[i64], blur: u64) {
        let see = |((key, before), ms): ((&String, &Option<u64>), &i64)| {
            let (key, before) = (key.clone(), before.filter(|left| *left > 0));
            let after = match *ms {
                -2 => Life::Absent,
                -1 => Life::Forever,
                ms => Life::Ms(ms.unsigned_abs()),
            };
            Seen { key, before, after, blur }
        };
        let seen: Vec<Seen> = keys.iter().zip(lefts).zip(lives).map(see).collect();
        let mut ends = self.ends.borrow_mut();
        for Seen { key, before, after, blur } in &seen {
            let left = match (*after, *before) {
                (Life::Ms(ms), Some(before)) if ms <= before && before <= ms + blur => before,
                (Life::Ms(ms), _) => ms + blur,
                (Life::Absent | Life::Forever, _) => {
                    ends.remove(key);
                    continue;
                }
            };
            ends.insert(key.clone(), self.now.get() + left);
        }
        *self.seen.borrow_mut() = seen;
    }
}

/// Runs commands on a [`Clocked`] server, which lets its keys expire by the test's clock if `forgets`.
pub(crate) struct ClockedCommands<'a> {
    server: &'a Clocked,
    forgets: bool,
}

impl RunCommand for ClockedCommands<'_> {
    fn run_command(&self, command: Vec<String>) -> RedisResult<Value> {
        self.server.call(command, self.forgets)
    }
}

/// The transport to a [`Clocked`] server.
pub(crate) type ClockedTransport<'a> = DirectTransport<ClockedCommands<'a>>;

fn observed(source: &str, mistake: Mistake) -> String {
    include_str!("clocked.lua")
        .replace("MISTAKE", mistake.unwrap_or("nil"))
        .replace("\nSCRIPT\n", &format!("\n{source}\n"))
}
