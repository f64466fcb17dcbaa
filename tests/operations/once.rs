//! A request is settled once, and every key lives as long as it matters.

use crate::call::{MINUTE, Settle, T, check, less, more, settle};
use crate::support::{Redis, Spec, bucket, log};

#[test]
fn a_request_is_settled_once() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 10_000, 10), log("l", 10, 10_000)];
    check(&mut redis, "s", &limits, 5, T);
    assert_eq!(settle(&mut redis, "s", &limits, less(2, T)), [1, 2, 2]);
    let before = redis.dump("s");
    for again in [less(2, T), more(2, T), less(2, T).at(T + 5 * MINUTE)] {
        assert_eq!(settle(&mut redis, "s", &limits, again), [0, 0, 0]);
        assert_eq!(redis.dump("s"), before);
    }
    assert_eq!(settle(&mut redis, "other", &limits, less(2, T)), [1, 0, 0], "a subject has its own requests");
    // The next settlement removes expired ids.
    let next = Settle { request: "next", ..less(0, T).at(T + MINUTE) };
    assert_eq!(settle(&mut redis, "s", &limits, next), [1, 0, 0]);
    let remembered: Vec<String> = redis.run(&["ZRANGE", "sg:1:{s}:settled", "0", "-1"]);
    assert_eq!(remembered, ["next"]);
}

/// Keys expire this many milliseconds after their state no longer matters. Request ids have no such grace.
const GRACE: u64 = 1000;

#[test]
fn keys_expire_one_second_after_they_matter() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, MINUTE, 10), log("l", 10, MINUTE)];
    let slow = bucket("slow", 10, 2 * MINUTE, 10);
    let all = [&limits[..], std::slice::from_ref(&slow)].concat();
    let raw = |redis: &mut Redis, request: &str, now: u64, units: [u64; 2], memory: u64| {
        let keys = "sg:1:{s} sg:1:{s}:settled sg:1:{s}:log:l";
        let limits = limits.iter().flat_map(Spec::arguments).collect::<Vec<_>>().join(" ");
        let words = format!("3 {keys} {now} {T} {request} {memory} {} {} 2 {limits}", units[0], units[1]);
        let mut call = vec!["EVAL", include_str!("../../lua/settle.lua")];
        call.extend(words.split(' '));
        redis.run::<Vec<i64>>(&call)
    };
    let lives = |redis: &mut Redis, key: &str, expected: u64| {
        let ttl: i64 = redis.run(&["PTTL", &format!("sg:1:{{s}}{key}")]);
        let expected = expected.cast_signed();
        assert!(expected - 10_000 < ttl && ttl <= expected, "{key}: {ttl} of {expected}");
    };
    redis.check("s", &all, &[5], T);
    lives(&mut redis, "", MINUTE + GRACE);
    // The slow bucket is not settled and matters as long as before.
    assert_eq!(raw(&mut redis, "a", T, [3, 0], 2 * MINUTE), [1, 3, 3]);
    lives(&mut redis, "", MINUTE + GRACE);
    lives(&mut redis, ":log:l", MINUTE + GRACE);
    lives(&mut redis, ":settled", 2 * MINUTE);
    // Charged by clocks that are 20 s ahead, it matters 20 s longer by this clock.
    assert_eq!(raw(&mut redis, "b", T - 20_000, [7, 0], MINUTE), [1, 7, 7]);
    lives(&mut redis, "", 20_000 + 15 * 6000 + GRACE);
    lives(&mut redis, ":log:l", 20_000 + MINUTE + GRACE);
    lives(&mut redis, ":settled", 2 * MINUTE);
    // Giving back shortens no expiry, because other clocks may differ. No key loses its expiry.
    assert_eq!(raw(&mut redis, "c", T, [0, 15], 3 * MINUTE), [1, 15, 15]);
    lives(&mut redis, "", 20_000 + 15 * 6000 + GRACE);
    lives(&mut redis, ":log:l", 20_000 + MINUTE + GRACE);
    lives(&mut redis, ":settled", 3 * MINUTE);
    // A state that the settlement creates expires, too.
    redis.run::<i64>(&["DEL", "sg:1:{s}", "sg:1:{s}:log:l"]);
    assert_eq!(raw(&mut redis, "d", T + 20_000, [2, 0], 1), [1, 2, 2]);
    lives(&mut redis, "", 12_000 + GRACE);
    lives(&mut redis, ":log:l", MINUTE - 20_000 + GRACE);
}

#[test]
fn without_a_time_the_servers_clock_expires_ids() {
    let mut redis = Redis::start();
    let limits = [log("l", 10, 1000)];
    let (seconds, _): (u64, u64) = redis.run(&["TIME"]);
    assert_eq!(settle(&mut redis, "s", &limits, more(3, (seconds + 100) * 1000).at(0)), [1, 3]);
    assert_eq!(settle(&mut redis, "t", &limits, more(3, (seconds - 2) * 1000).at(0)), [1, 0]);
}

/// Garbage, or a key of another type, in each key that is read.
#[test]
fn an_error_leaves_the_request_unsettled() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, MINUTE, 10), log("l", 10, MINUTE), log("m", 10, MINUTE)];
    check(&mut redis, "s", &limits, 5, T);
    let whole = redis.dump("s");
    let keys = "sg:1:{s} sg:1:{s}:settled sg:1:{s}:log:l sg:1:{s}:log:m";
    let words = limits.iter().flat_map(Spec::arguments).collect::<Vec<_>>().join(" ");
    let (settled, last) = ("sg:1:{s}:settled", "sg:1:{s}:log:m");
    for (units, bad) in [
        ("3 0", ["SET", "sg:1:{s}", "garbage"]),
        ("3 0", ["SET", "sg:1:{s}", "b token_bucket 60000 10 1 6000|"]),
        ("3 0", ["SET", "sg:1:{s}", "b token_bucket 60000 10 1 6000|7"]),
        ("0 3", ["SET", "sg:1:{s}", "b token_bucket 60000 10 1 6000|7"]),
        ("3 0", ["SADD", "sg:1:{s}", "x"]),
        ("3 0", ["SADD", settled, "x"]),
        ("3 0", ["SET", last, "x"]),
        ("0 3", ["SET", last, "x"]),
    ] {
        redis.run::<()>(&["DEL", bad[1]]);
        redis.run::<redis::Value>(&bad);
        let before = redis.dump("s");
        let mut call = vec!["EVAL", include_str!("../../lua/settle.lua")];
        let arguments = format!("4 {keys} {T} {T} r {MINUTE} {units} 3 {words}");
        call.extend(arguments.split(' '));
        redis.try_run::<Vec<i64>>(&call).unwrap_err();
        assert_eq!(redis.dump("s"), before, "{bad:?}");
        redis.run::<()>(&["FLUSHALL"]);
        check(&mut redis, "s", &limits, 5, T);
        assert_eq!(redis.dump("s"), whole);
        assert_eq!(redis.run::<Vec<i64>>(&call)[0], 1, "{bad:?}: mended, the repeat settles");
        redis.run::<()>(&["FLUSHALL"]);
        check(&mut redis, "s", &limits, 5, T);
    }
}

#[test]
fn a_full_state_leaves_the_request_unsettled() {
    let mut redis = Redis::start();
    let number = |i: usize| bucket(&format!("n{i}"), 10, MINUTE, 10);
    for i in 0..128 {
        check(&mut redis, "s", &[number(i)], 1, T);
    }
    let before = redis.dump("s");
    let mut call = format!("2 sg:1:{{s}} sg:1:{{s}}:settled {T} {T} r {MINUTE} 3 0 1 ");
    call += &number(128).arguments().join(" ");
    let mut words = vec!["EVAL", include_str!("../../lua/settle.lua")];
    words.extend(call.split(' '));
    let error = redis.try_run::<Vec<i64>>(&words).unwrap_err().to_string();
    let message = "settle.lua: KEYS[1] (state): expected at most 128 limits, found 129 \
                   (name limits that it has, or reset the subject)";
    assert!(error.contains(message), "{error}");
    assert_eq!(redis.dump("s"), before);
    assert_eq!(settle(&mut redis, "s", &[number(7)], more(3, T)), [1, 3]);
}
