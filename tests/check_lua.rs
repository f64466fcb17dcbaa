//! `lua/check.lua` against a real redis-server: its contract, example by example and as properties.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/oracle.rs"]
mod oracle;
mod support;

use std::cell::RefCell;
use std::process::Command;

use oracle::Oracle;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use support::{Redis, Spec, bucket, fixed, log, sliding};

const T: u64 = 1_800_000_000_000;

#[test]
fn a_bucket_admits_its_burst_and_refills() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 2, 1000, 3)];
    assert_eq!(
        redis.check("s", &limits, &[1, 1, 1, 1], T),
        [1, 2, 0, 500, 1, 1, 0, 1000, 1, 0, 0, 1500, 0, 0, 500, 1500]
    );
    assert_eq!(redis.check("s", &limits, &[1], T + 499), [0, 0, 1, 1001]);
    assert_eq!(redis.check("s", &limits, &[1], T + 500), [1, 0, 0, 1500]);
}

#[test]
fn a_log_admits_its_quota_in_any_window() {
    let mut redis = Redis::start();
    let limits = [log("l", 10, 1000)];
    assert_eq!(redis.check("s", &limits, &[6], T), [1, 4, 0, 1000]);
    assert_eq!(redis.check("s", &limits, &[4], T + 300), [1, 0, 0, 1000]);
    assert_eq!(redis.check("s", &limits, &[1], T + 300), [0, 0, 700, 1000]);
    assert_eq!(redis.check("s", &limits, &[7], T + 300), [0, 0, 1000, 1000]);
    assert_eq!(redis.check("s", &limits, &[6], T + 999), [0, 0, 1, 301]);
    assert_eq!(redis.check("s", &limits, &[6], T + 1000), [1, 0, 0, 1000]);
    assert_eq!(redis.run::<i64>(&["ZCARD", "sg:1:{s}:log:l"]), 2, "what is outside the window is gone");
}

#[test]
fn many_admissions_of_one_millisecond_are_all_counted() {
    let mut redis = Redis::start();
    let limits = [log("l", 5000, 1000)];
    let admitted = redis.check("s", &limits, &vec![1; 6000], T).chunks(4).filter(|numbers| numbers[0] == 1).count();
    assert_eq!(admitted, 5000);
    assert_eq!(redis.run::<i64>(&["ZCARD", "sg:1:{s}:log:l"]), 5000);
    assert_eq!(redis.check("s", &limits, &[1], T), [0, 0, 1000, 1000]);
}

#[test]
fn a_log_numbers_its_units_beyond_2_53() {
    let mut redis = Redis::start();
    let most = (1 << 53) - 1;
    let limits = [log("l", most, 1000)];
    let mut oracle = Oracle::new(&limits);
    for (i, cost) in [most, 1, most - 5, 5, 1, most].into_iter().enumerate() {
        let now = T + 600 * i as u64;
        assert_eq!(redis.check("s", &limits, &[cost], now), oracle.check(cost, now), "request {i}");
        redis.keep("s");
    }
}

#[test]
fn a_log_tells_the_exact_retry_near_2_53() {
    let mut redis = Redis::start();
    let most = (1 << 53) - 1;
    let limits = [log("l", most, 1000)];
    assert_eq!(redis.check("s", &limits, &[1], T)[0], 1);
    assert_eq!(redis.check("s", &limits, &[most - 3], T + 600)[0], 1);
    assert_eq!(redis.check("s", &limits, &[4], T + 600), [0, 2, 1000, 1000]);
    assert_eq!(redis.check("s", &limits, &[3], T + 999)[..3], [0, 2, 1]);
    assert_eq!(redis.check("s", &limits, &[3], T + 1000)[0], 1);
}

#[test]
fn a_log_with_a_hole_is_judged_and_blocks_nobody() {
    let mut redis = Redis::start();
    let limits = [log("l", 10, 1000)];
    for (i, cost) in [3, 3, 4].into_iter().enumerate() {
        assert_eq!(redis.check("s", &limits, &[cost], T + 100 * i as u64)[0], 1);
    }
    assert_eq!(redis.run::<i64>(&["ZREMRANGEBYRANK", "sg:1:{s}:log:l", "1", "1"]), 1);
    assert_eq!(redis.check("s", &limits, &[5], T + 300), [0, 0, 900, 900], "the newest entry's time");
}

#[test]
fn one_refusing_limit_charges_none() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 100, 1000, 100), log("l", 1, 1000)];
    assert_eq!(redis.check("s", &limits, &[1], T), [1, 99, 0, 10, 0, 0, 1000]);
    redis.keep("s");
    let before = redis.dump("s");
    assert_eq!(redis.check("s", &limits, &[1], T), [0, 99, 0, 10, 0, 1000, 1000]);
    assert_eq!(redis.dump("s"), before);
}

#[test]
fn a_cost_that_never_fits_says_so() {
    let mut redis = Redis::start();
    assert_eq!(redis.check("s", &[bucket("b", 5, 1000, 10), log("l", 20, 1000)], &[11], T), [0, 10, -1, 0, 20, 0, 0]);
    assert_eq!(redis.check("s", &[log("l", 20, 1000)], &[21], T), [0, 20, -1, 0]);
    assert!(redis.dump("s").is_empty());
}

#[test]
fn a_look_takes_nothing() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 5, 1000, 5), log("l", 5, 1000)];
    assert_eq!(redis.check("s", &limits, &[0], T), [1, 5, 0, 0, 5, 0, 0]);
    assert!(redis.dump("s").is_empty());
    redis.check("s", &limits, &[5], T);
    redis.keep("s");
    let before = redis.dump("s");
    assert_eq!(redis.check("s", &limits, &[0], T + 100), [1, 0, 0, 900, 0, 0, 900]);
    assert_eq!(redis.dump("s"), before);
}

#[test]
fn time_that_goes_backwards_grants_nothing() {
    let mut redis = Redis::start();
    for limits in [[bucket("b", 1, 1000, 1)], [log("l", 1, 1000)]] {
        let subject = &limits[0].name;
        assert_eq!(redis.check(subject, &limits, &[1], T)[0], 1);
        assert_eq!(redis.check(subject, &limits, &[1], T - 500), [0, 0, 1500, 1500]);
        assert_eq!(redis.check(subject, &limits, &[1], 1)[0], 0);
        assert_eq!(redis.check(subject, &limits, &[1], T + 999)[0], 0);
        assert_eq!(redis.check(subject, &limits, &[1], T + 1000)[0], 1);
    }
}

#[test]
fn without_a_time_the_servers_clock_judges() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 1, 3_600_000, 1), log("l", 1, 3_600_000)];
    assert_eq!(redis.check("s", &limits, &[1], 0), [1, 0, 0, 3_600_000, 0, 0, 3_600_000]);
    let state: String = redis.run(&["GET", "sg:1:{s}"]);
    let (seconds, _): (u64, u64) = redis.run(&["TIME"]);
    let (_, numbers) = state.split_once('|').unwrap();
    let stored: u64 = numbers.split(' ').next().unwrap().parse().unwrap();
    assert!(stored / 1000 <= seconds && seconds <= stored / 1000 + 10, "{stored} is about {seconds} s");
}

#[test]
fn every_key_expires_when_its_state_stops_to_matter() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 60_000, 10), bucket("slow", 10, 600_000, 10), log("l", 10, 120_000)];
    redis.check("s", &limits, &[5], T);
    for (key, full_in) in [("sg:1:{s}", 300_000), ("sg:1:{s}:log:l", 120_000)] {
        let ttl: i64 = redis.run(&["PTTL", key]);
        assert!(full_in - 10_000 < ttl && ttl <= full_in, "{key}: {ttl} of {full_in}");
    }
    // Judged half a minute in the past, the state matters half a minute longer.
    redis.check("s", &limits, &[1], T - 30_000);
    let ttl: i64 = redis.run(&["PTTL", "sg:1:{s}:log:l"]);
    assert!(140_000 < ttl && ttl <= 150_000, "{ttl}");
}

#[test]
fn limits_that_a_call_does_not_name_keep_their_state_until_it_stops_to_matter() {
    let mut redis = Redis::start();
    let (a, b) = (bucket("a", 10, 60_000, 10), bucket("ab", 10, 600_000, 10));
    redis.check("s", std::slice::from_ref(&a), &[4], T);
    redis.check("s", std::slice::from_ref(&b), &[7], T);
    assert_eq!(redis.check("s", &[a.clone(), b.clone()], &[0], T), [1, 6, 0, 24_000, 3, 0, 420_000]);
    redis.check("s", std::slice::from_ref(&b), &[1], T + 24_000);
    let state: String = redis.run(&["GET", "sg:1:{s}"]);
    assert!(state.starts_with("ab token_bucket ") && !state.contains(" a "), "{state}");
}

#[test]
fn a_changed_limit_keeps_what_was_used() {
    let mut redis = Redis::start();
    redis.check("s", &[bucket("b", 100, 60_000, 100)], &[60], T);
    assert_eq!(redis.check("s", &[bucket("b", 1000, 60_000, 1000)], &[0], T)[1], 940, "raised");
    assert_eq!(redis.check("s", &[bucket("b", 50, 60_000, 50)], &[0], T)[1], 0, "lowered below what was used");
    assert_eq!(redis.check("s", &[bucket("b", 70, 60_000, 70)], &[0], T)[1], 10, "lowered");
    redis.check("l", &[log("l", 100, 60_000)], &[60], T);
    assert_eq!(redis.check("l", &[log("l", 1000, 60_000)], &[1], T)[1], 939, "raised");
    assert_eq!(redis.check("l", &[log("l", 50, 60_000)], &[1], T), [0, 0, 60_000, 60_000], "lowered");
}

#[test]
fn only_a_call_that_takes_writes() {
    let mut redis = Redis::start();
    let limits = [bucket("a", 1, 60_000, 1), bucket("b", 5, 60_000, 5)];
    for (cost, calls) in [(1, "eval get set"), (1, "eval get"), (0, "eval get")] {
        redis.run::<()>(&["CONFIG", "RESETSTAT"]);
        redis.check("s", &limits, &[cost], T);
        let statistics: String = redis.run(&["INFO", "commandstats"]);
        let mut called: Vec<_> = statistics
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'))
            .filter(|(name, _)| !name.starts_with("config"))
            .map(|(name, rest)| (name, rest.starts_with("calls=1,")))
            .collect();
        called.sort_unstable();
        assert_eq!(called.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "), calls);
        assert!(called.iter().all(|(_, once)| *once), "{statistics}");
    }
}

#[test]
fn the_state_is_the_limits_the_time_and_the_numbers() {
    let mut redis = Redis::start();
    let limits = [bucket("a", 2, 1000, 3), fixed("b", 9, 60_000), sliding("c", 9, 1000), log("d", 9, 1000)];
    let words = "a token_bucket 1000 3 1 500 b fixed_window 60000 9 c sliding_window 1000 9 d sliding_log 1000 9";
    // A call that finds no state, one that knows the state, and one that finds another limit in it.
    for (time, numbers) in [(0, "500 1 1 0"), (1000, "500 2 1 1"), (1001, "999 3 2 1")] {
        redis.check_kept("s", &limits, &[1], T + time);
        let state: String = redis.run(&["GET", "sg:1:{s}"]);
        assert_eq!(state, format!("{words}|{} {numbers}", T + time));
    }
    redis.check_kept("s", &[bucket("e", 1, 1000, 1)], &[1], T + 1001);
    redis.check_kept("s", &limits, &[1], T + 1001);
    let state: String = redis.run(&["GET", "sg:1:{s}"]);
    assert_eq!(state, format!("{words} e token_bucket 1000 1 1 1000|{} 1499 4 3 1 1000", T + 1001));
}

#[test]
fn a_server_that_would_cut_numbers_is_refused() {
    let mut redis = Redis::start();
    let mut words = support::words("s", &[bucket("b", 2, 1000, 3)], &[1], T);
    words[1] = format!(
        "local whole, string = string, {{}}\n\
         for name, value in pairs(whole) do string[name] = value end\n\
         function string.format(text, number, ...)\n\
           if text == '%d' then number = number % 2^32 end\n\
           return whole.format(text, number, ...)\n\
         end\n{}",
        words[1]
    );
    let error = redis.try_run::<Vec<i64>>(&words.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_err();
    assert!(error.to_string().contains("check.lua: this server formats integers in 32 bits"), "{error}");
    assert_eq!(redis.run::<i64>(&["DBSIZE"]), 0);
}

#[test]
fn it_survives_a_script_flush() {
    let mut redis = Redis::start();
    let words = support::words("s", &[log("l", 2, 60_000)], &[1], T);
    let sha: String = redis.run(&["SCRIPT", "LOAD", &words[1]]);
    let mut call = words.iter().map(String::as_str).collect::<Vec<_>>();
    (call[0], call[1]) = ("EVALSHA", &sha);
    assert_eq!(redis.run::<Vec<i64>>(&call)[..2], [1, 1]);
    redis.run::<()>(&["SCRIPT", "FLUSH"]);
    let error = redis.try_run::<Vec<i64>>(&call).unwrap_err();
    assert!(error.to_string().contains("NOSCRIPT") || error.code() == Some("NOSCRIPT"), "{error}");
    assert_eq!(redis.check("s", &[log("l", 2, 60_000)], &[1], T)[..2], [1, 0], "EVAL loads it and nothing was lost");
    assert_eq!(redis.run::<Vec<i64>>(&call)[..2], [0, 0]);
}

#[test]
fn wrong_arguments_are_named_and_change_nothing() {
    let mut redis = Redis::start();
    let key = "sg:1:{s}";
    for (arguments, message) in [
        ("", "ARGV[1] (now_ms): expected an integer from 0, found nothing"),
        ("-1", "ARGV[1] (now_ms): expected an integer from 0, found -1"),
        ("1.5", "ARGV[1] (now_ms): expected an integer from 0, found 1.5"),
        ("nan", "ARGV[1] (now_ms): expected an integer from 0, found nan"),
        ("9007199254740992", "ARGV[1] (now_ms): expected an integer from 0, found 9007199254740992"),
        ("1 0", "ARGV[2] (limits): expected an integer from 1, found 0"),
        ("1 1", "ARGV[4] (algorithm): unknown: nothing"),
        ("1 1 a", "ARGV[4] (algorithm): unknown: nothing"),
        ("1 1 a leaky", "ARGV[4] (algorithm): unknown: leaky"),
        ("1 1 a;b fixed_window 1 1 1 1", "ARGV[3] (name): expected letters, digits, _ - . , found a;b"),
        ("1 1 a token_bucket", "ARGV[5] (window_ms): expected an integer from 1, found nothing"),
        ("1 1 a token_bucket 0 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 0 1 1", "ARGV[6] (burst): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 1 0 1", "ARGV[7] (refill): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 1 1 x", "ARGV[8] (fractions): expected an integer from 1, found x"),
        (
            "1 1 a token_bucket 1000 9007199254741 7 1000 1 1",
            "ARGV[6] (burst): the bucket does not fit into 2^53 fractions",
        ),
        ("1 1 a fixed_window year 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found year"),
        ("1 1 a fixed_window month 0 1 1", "ARGV[6] (limit): expected an integer from 1, found 0"),
        ("1 1 a sliding_window month 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found month"),
        (
            "1 1 a sliding_window 1000 9007199254741 1 1",
            "ARGV[6] (limit): the limit times its window does not fit into 2^53",
        ),
        ("1 1 a concurrency 0 1 1 1 x", "ARGV[5] (lease_ms): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 1 1 1", "ARGV[9] (requests): expected an integer from 1, found nothing"),
        ("1 1 a token_bucket 1 1 1 1 1", "ARGV[10] (cost): expected an integer from 0, found nothing"),
        ("1 1 a token_bucket 1 1 1 1 1 1 1", "expected 10 arguments, found 11"),
        ("1 1 a sliding_log 1 1 1 1", "these limits need 2 keys, found 1"),
        ("2 1 a concurrency 1 1 1 1", "these limits need 2 keys, found 1"),
    ] {
        let mut call = vec!["EVAL", include_str!("../lua/check.lua"), "1", key];
        call.extend(arguments.split(' ').filter(|word| !word.is_empty()));
        let error = redis.try_run::<Vec<i64>>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("check.lua: {message}")), "{arguments}: {error}");
    }
    for lease in ["", "a b", "\n", &"x".repeat(201)] {
        let mut call = vec!["EVAL", include_str!("../lua/check.lua"), "2", key, "sg:1:{s}:inflight:a"];
        call.extend(["1", "1", "a", "concurrency", "1000", "1", "1", "1", lease]);
        let error = redis.try_run::<Vec<i64>>(&call).unwrap_err().to_string();
        assert!(error.contains("ARGV[9] (lease): expected 1 to 200 characters without space"), "{lease:?}: {error}");
    }
    assert_eq!(redis.run::<i64>(&["DBSIZE"]), 0);
}

/// The numbers of a check whose requests have a cost for each limit.
fn check_costs(redis: &mut Redis, limits: &[Spec], costs: &[&str], now: u64) -> redis::RedisResult<Vec<i64>> {
    let mut words = support::words("s", limits, &vec![1; costs.len()], now);
    let first = words.len() - costs.len();
    for (word, costs) in words[first..].iter_mut().zip(costs) {
        (*costs).clone_into(word);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    redis.try_run(&words)
}

#[test]
fn each_limit_can_have_a_cost_of_its_own() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 1000, 10), log("l", 2000, 1000)];
    let now = T.cast_signed();
    let numbers =
        check_costs(&mut redis, &limits, &["1,1000", "2,1001", "2,2001", "11,1", "9,1000", "1,0"], T).unwrap();
    let expected: [&[i64]; 7] = [
        &[1, 9, 0, 100, 1000, 0, 1000],
        &[0, 9, 0, 100, 1000, 1000, 1000],
        &[0, 9, 0, 100, 1000, -1, 1000],
        &[0, 9, -1, 100, 1000, 0, 1000],
        &[1, 0, 0, 1000, 0, 0, 1000],
        &[0, 0, 100, 1000, 0, 0, 1000],
        &[now],
    ];
    assert_eq!(numbers, expected.concat());
    let single = check_costs(&mut redis, &limits[..1], &["1"], T).unwrap();
    assert_eq!(single, [0, 0, 100, 1000, now], "a list of one is a cost");
}

#[test]
fn a_cost_of_0_takes_nothing_of_its_limit() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 1000, 10), log("l", 10, 1000)];
    let now = T.cast_signed();
    assert_eq!(check_costs(&mut redis, &limits, &["0,0"], T).unwrap(), [1, 10, 0, 0, 10, 0, 0, now]);
    assert!(redis.dump("s").is_empty(), "a look");
    assert_eq!(check_costs(&mut redis, &limits, &["0,4"], T).unwrap(), [1, 10, 0, 0, 6, 0, 1000, now]);
    assert_eq!(check_costs(&mut redis, &limits, &["3,0"], T).unwrap(), [1, 7, 0, 300, 6, 0, 1000, now]);
    let keys: Vec<String> = redis.dump("s").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["sg:1:{s}", "sg:1:{s}:log:l"]);
    for key in keys {
        assert!(redis.run::<i64>(&["PTTL", &key]) > 0, "{key} expires");
    }
}

#[test]
fn wrong_lists_of_costs_are_named_and_change_nothing() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 60_000, 10), log("l", 10, 60_000)];
    redis.check("s", &limits, &[1], T);
    redis.keep("s");
    let before = redis.dump("s");
    for (costs, why) in [
        ("1,1,1", "too many"),
        ("1,1,", "too many, the last one empty"),
        ("1,", "empty"),
        (",1", "empty"),
        (",", "empty"),
        ("", "empty"),
        ("1,x", "not a number"),
        ("x,1", "not a number"),
        ("1,0x1", "not decimal"),
        ("1,1e1", "not decimal"),
        ("1, 1", "a space"),
        ("1,nan", "not a number"),
        ("1,1.5", "not whole"),
        ("1,-1", "negative"),
        ("-1,1", "negative"),
        ("9007199254740992,1", "too large"),
        ("1;1", "not joined by a comma"),
    ] {
        // The first request of the batch is right, and is not charged.
        let error = check_costs(&mut redis, &limits, &["1,1", costs], T).unwrap_err().to_string();
        let message = format!("check.lua: ARGV[15] (cost): expected an integer from 0, found {costs}");
        assert!(error.contains(message.trim_end()), "{why}: {error}");
    }
    let three = [limits[0].clone(), limits[1].clone(), fixed("f", 10, 60_000)];
    let error = check_costs(&mut redis, &three, &["1,1"], T).unwrap_err().to_string();
    assert!(error.contains("(cost): expected an integer from 0, found 1,1"), "too few: {error}");
    assert_eq!(redis.dump("s"), before);
}

#[test]
fn the_example_in_every_header_runs() {
    let redis = Redis::start();
    let mut examples = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/lua")).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let example = source.lines().find_map(|line| line.strip_prefix("-- example")).expect("a header has an example");
        let command =
            example.trim().replacen("redis-cli", &format!("redis-cli -e -s {}", redis.server.socket().display()), 1);
        let output =
            Command::new("sh").args(["-c", &command]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && !answer.contains("ERR"), "{example}: {answer}");
        examples += 1;
    }
    assert_eq!(examples, sluicegate::script::ALL.len());
}

// Properties -----------------------------------------------------------------------------------------

thread_local! {
    /// One server for all cases of a test; each case has a subject of its own.
    static SERVER: RefCell<(Redis, u64)> = RefCell::new((Redis::start(), 0));
}

fn with_subject<T>(test: impl FnOnce(&mut Redis, &str) -> T) -> T {
    SERVER.with_borrow_mut(|(redis, cases)| {
        *cases += 1;
        let subject = format!("case{cases}");
        let result = test(redis, &subject);
        redis.run::<()>(&["FLUSHALL"]);
        result
    })
}

/// One to three limits of either kind, small enough that requests meet them often.
fn limits() -> impl Strategy<Value = Vec<Spec>> {
    let spec = (1_u64..12, 1_u64..5000, prop::option::of(1_u64..15)).prop_map(|(limit, window, burst)| match burst {
        None => log("", limit, window),
        Some(burst) => bucket("", limit, window, burst),
    });
    prop::collection::vec(spec, 1..=3).prop_map(|mut specs| {
        for (i, spec) in specs.iter_mut().enumerate() {
            spec.name = format!("n{i}");
        }
        specs
    })
}

/// Requests: how far the clock moves before each (mostly on, sometimes back), and its cost.
fn requests(most: usize) -> impl Strategy<Value = Vec<(i64, u64)>> {
    let step = prop_oneof![4 => Just(0_i64), 6 => 0_i64..1500, 1 => -3000_i64..0, 1 => 0_i64..20_000];
    prop::collection::vec((step, prop_oneof![4 => Just(1_u64), 3 => 0_u64..6, 1 => 0_u64..20]), 1..most)
}

fn times(requests: &[(i64, u64)]) -> Vec<(u64, u64)> {
    let mut now = T;
    requests
        .iter()
        .map(|(step, cost)| {
            now = now.saturating_add_signed(*step);
            (now, *cost)
        })
        .collect()
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_number_is_the_oracles(limits in limits(), requests in requests(40)) {
        with_subject(|redis, subject| {
            let mut oracle = Oracle::new(&limits);
            for (now, cost) in times(&requests) {
                let expected = oracle.check(cost, now);
                prop_assert_eq!(redis.check_kept(subject, &limits, &[cost], now), expected, "cost {} at {}", cost, now);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_batch_is_its_requests_one_by_one(limits in limits(), before in requests(10), costs in prop::collection::vec(0_u64..6, 1..12)) {
        with_subject(|redis, subject| {
            let single = format!("{subject}-single");
            let mut now = T;
            for (time, cost) in times(&before) {
                now = time;
                for subject in [subject, &single] {
                    redis.check_kept(subject, &limits, &[cost], now);
                }
            }
            let batch = redis.check_kept(subject, &limits, &costs, now);
            let mut one_by_one = Vec::new();
            for cost in costs {
                one_by_one.extend(redis.check_kept(&single, &limits, &[cost], now));
            }
            prop_assert_eq!(batch, one_by_one);
            let values = |dump: Vec<(String, Vec<u8>)>| dump.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
            let (one, other) = (redis.dump(subject), redis.dump(&single));
            prop_assert_eq!(values(one), values(other));
            Ok(())
        })?;
    }

    #[test]
    fn a_refusal_changes_nothing_and_tells_the_exact_retry(limits in limits(), requests in requests(40)) {
        with_subject(|redis, subject| {
            for (now, cost) in times(&requests) {
                let before = redis.dump(subject);
                let numbers = redis.check_kept(subject, &limits, &[cost], now);
                let retries: Vec<i64> = numbers[1..].chunks(3).map(|budget| budget[1]).collect();
                if numbers[0] == 1 {
                    continue;
                }
                prop_assert_eq!(redis.dump(subject), before);
                let Some(wait) = retries.iter().all(|retry| *retry >= 0).then(|| *retries.iter().max().unwrap()) else { continue };
                let at = now + wait.unsigned_abs();
                prop_assert_eq!(redis.check_kept(subject, &limits, &[cost], at - 1)[0], 0, "a millisecond early");
                prop_assert_eq!(redis.check_kept(subject, &limits, &[cost], at)[0], 1, "in time");
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_window_of_a_log_admits_more_than_its_quota(
        (quota, window) in (1_u64..20, 1_u64..3000), requests in requests(60)
    ) {
        with_subject(|redis, subject| {
            let limits = [log("l", quota, window)];
            // By the clock that never goes backwards, which is the limit's.
            let (mut admitted, mut latest) = (Vec::new(), 0);
            for (now, cost) in times(&requests) {
                if redis.check_kept(subject, &limits, &[cost], now)[0] == 1 && cost > 0 {
                    latest = now.max(latest);
                    admitted.push((latest, cost));
                }
            }
            for (start, _) in &admitted {
                let units: u64 = admitted.iter().filter(|(at, _)| (*start..start + window).contains(at)).map(|(_, cost)| cost).sum();
                prop_assert!(units <= quota, "{} units from {}", units, start);
            }
            Ok(())
        })?;
    }

    #[test]
    fn remaining_is_the_largest_cost_that_passes(limits in limits(), requests in requests(20)) {
        with_subject(|redis, subject| {
            for (now, cost) in times(&requests) {
                let numbers = redis.check_kept(subject, &limits, &[cost], now);
                let remaining = numbers[1..].chunks(3).map(|budget| budget[0]).min().unwrap().unsigned_abs();
                prop_assert_eq!(redis.check_kept(subject, &limits, &[remaining + 1], now)[0], 0);
                if cost == 0 && remaining > 0 {
                    prop_assert_eq!(redis.check_kept(subject, &limits, &[remaining], now)[0], 1);
                }
            }
            Ok(())
        })?;
    }
}
