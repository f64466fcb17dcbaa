//! After the last expiry Redis is empty except for fencing counters: in real time, with windows of some milliseconds.

use std::cell::RefCell;

use proptest::prelude::*;
use redis::{RedisResult, Value};
use sluicegate::limit::{CheckRequest, LeaseId, Limit, LimitName, Subject, Window};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, Settlement};
use sluicegate::redis::Argument;
use sluicegate::redis::cas::{self, Expiry};
use sluicegate::redis::script::{self, Dialect, Script};
use sluicegate::time::Millis;

use crate::cases;
use crate::direct::{DirectTransport, RunCommand, at_once};
use crate::lives::GRACE;
use crate::support::Redis;

thread_local! {
    static SERVER: Plain = Plain(RefCell::new(Redis::start()));
}

proptest! {
    // A case takes as long as its windows.
    #![proptest_config(ProptestConfig { cases: cases::config(30, "regressions").cases.min(300), ..cases::config(30, "regressions") })]

    #[test]
    fn redis_is_empty_after_the_last_expiry(
        limits in limits(), costs in prop::collection::vec(0_u64..5, 1..12), clocks in any::<[bool; 2]>(), units in 0_u64..20
    ) {
        SERVER.with(|server| {
            server.run::<()>(&["FLUSHALL"]);
            let (subject, limiter) = (Subject::named("s"), Limiter::new(DirectTransport(server), Dialect::Plain));
            let clock = |redis: bool| if redis { Now::Redis } else { Now::At(Millis::new(server.now())) };
            let mut over = 0;
            for (i, cost) in costs.iter().enumerate() {
                let lease = LeaseId::new(&format!("lease-{i}")).unwrap();
                let request = CheckRequest { cost: *cost, lease: Some(&lease) };
                let verdict = at_once(limiter.check(&subject, &limits, request, clock(clocks[i % 2]))).unwrap();
                let reset = verdict.budgets().iter().map(|budget| budget.reset.get()).max().unwrap();
                over = over.max(server.now() + reset + GRACE);
            }
            let (request, before) = (RequestId::new("r").unwrap(), Millis::new(server.now()));
            let correction = Correction::Charge(units);
            let settlement =
                Settlement { request: &request, charged_at: before, correction, memory: Millis::new(20) };
            at_once(limiter.settle(&subject, &limits, &settlement, clock(clocks[0]))).unwrap();
            let after = server.now();
            // At an instant no later than the settlement's, because its keys live from that instant on.
            let look = at_once(limiter.peek(&subject, &limits, Now::At(before))).unwrap();
            let reset = look.budgets().iter().map(|budget| budget.reset.get()).max().unwrap();
            over = over.max(after + reset + GRACE);
            server.is_left_with(&[], over);
        });
    }
}

#[test]
fn a_lock_leaves_only_its_fencing_counters() {
    SERVER.with(|server| {
        server.run::<()>(&["FLUSHALL"]);
        let keys = ["sg:1:{lock:a}", "sg:1:{lock:a}:fence", "sg:1:{lock:a}:value:b", "sg:1:{lock:a}:newest:b"];
        let run = |script: &Script, keys: &[&str], arguments: &[Argument<'_>]| {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            let script = script.in_dialect(Dialect::Plain);
            at_once(sluicegate::redis::eval::<serde_json::Value>(&DirectTransport(server), script, &keys, arguments))
                .unwrap()
        };
        let (owner, new, ttl) = (Argument::Text("me"), Argument::Text("new"), Argument::Number(30));
        assert_eq!(run(&script::LOCK_ACQUIRE, &keys[..2], &[owner, ttl])[0], 1);
        let written = run(&script::FENCED_WRITE, &[keys[2], keys[3], keys[1]], &[Argument::Number(1), new, ttl]);
        assert_eq!(written[0], 1);
        run(&script::LOCK_RENEW, &keys[..1], &[owner, Argument::Number(1), ttl]);
        let transport = DirectTransport(server);
        let create = cas::create(&transport, Dialect::Plain, "flag", "on", Expiry::After(Millis::new(30)));
        assert_eq!(at_once(create).unwrap(), cas::Outcome::Swapped);
        server.is_left_with(&[keys[1], keys[3]], server.now() + 30);
        assert_eq!((server.run::<i64>(&["GET", keys[1]]), server.run::<i64>(&["GET", keys[3]])), (1, 1));
        assert_eq!(server.run::<i64>(&["DBSIZE"]), 2);
        assert_eq!(run(&script::LOCK_ACQUIRE, &keys[..2], &[owner, ttl])[1], 2, "the next token is higher");
    });
}

/// Limits of every algorithm, without calendar months, which take too long.
fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let numbers = (0_u8..5, 1_u64..10, 1_u64..30, 1_u64..10);
    prop::collection::vec(numbers, 1..=4).prop_map(|numbers| {
        let limit = |(i, (kind, quota, window, burst)): (usize, (u8, u64, u64, u64))| {
            let (name, window) = (LimitName::new(&format!("n{i}")).unwrap(), Millis::new(window));
            let limit = match kind {
                0 => Limit::sliding_log(name, quota, window),
                1 => Limit::sliding_window(name, quota, window),
                2 => Limit::fixed_window(name, quota, Window::Span(window)),
                3 => Limit::token_bucket(name, quota, window, Some(burst)),
                _ => Limit::concurrency(name, quota, window),
            };
            limit.unwrap()
        };
        numbers.into_iter().enumerate().map(limit).collect()
    })
}

/// A redis-server on its own clock.
struct Plain(RefCell<Redis>);

impl Plain {
    fn run<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        self.0.borrow_mut().run(command)
    }

    /// Milliseconds since the epoch.
    fn now(&self) -> u64 {
        let (seconds, micros): (u64, u64) = self.run(&["TIME"]);
        seconds * 1000 + micros / 1000
    }

    /// Waits until these are the only keys, at the latest at the instant `over`. Then waits until Redis has removed the
    /// expired ones, which it does gradually.
    fn is_left_with(&self, expected: &[&str], over: u64) {
        loop {
            let now = self.now();
            let mut keys: Vec<String> = self.run(&["KEYS", "*"]);
            keys.sort();
            if keys == expected {
                break;
            }
            assert!(now <= over, "at {now}, after {over}, there are still {keys:?}");
        }
        let patience = self.now() + 10_000;
        while self.run::<usize>(&["DBSIZE"]) > expected.len() {
            assert!(self.now() < patience, "expired keys are still there");
        }
    }
}

impl RunCommand for &Plain {
    fn run_command(&self, command: Vec<String>) -> RedisResult<Value> {
        self.0.borrow_mut().try_run(&command.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
