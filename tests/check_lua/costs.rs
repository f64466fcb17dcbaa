//! A cost for each limit.

use crate::T;
use crate::support::{Redis, Spec, bucket, fixed, log};

/// Returns the numbers of a check whose requests have one cost per limit.
fn check_costs(redis: &mut Redis, limits: &[Spec], costs: &[&str], now: u64) -> redis::RedisResult<Vec<i64>> {
    let mut words = crate::support::words("s", limits, &vec![1; costs.len()], now);
    let first = words.len() - costs.len();
    for (word, costs) in words[first..].iter_mut().zip(costs) {
        (*costs).clone_into(word);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    redis.try_run(&words)
}

#[test]
fn each_limit_can_have_its_own_cost() {
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
fn a_cost_of_0_charges_nothing() {
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
        // The first request of the batch is valid, but is not charged.
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
fn an_uncharged_log_keeps_its_entries_and_expiry() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 1000, 10), log("l", 10, 60_000)];
    assert_eq!(check_costs(&mut redis, &limits, &["0,4"], T).unwrap()[0], 1);
    let key = "sg:1:{s}:log:l";
    let entries = |redis: &mut Redis| redis.run::<Vec<(String, f64)>>(&["ZRANGE", key, "0", "-1", "WITHSCORES"]);
    redis.run::<i64>(&["PERSIST", key]);
    let before = entries(&mut redis);
    assert_eq!(before.len(), 1);
    // All its units have expired, but time still does not go back before its newest entry.
    let later = T.cast_signed() + 60_000;
    assert_eq!(check_costs(&mut redis, &limits, &["3,0"], T + 60_000).unwrap(), [1, 7, 0, 300, 10, 0, 0, later]);
    assert_eq!((entries(&mut redis), redis.run::<i64>(&["PTTL", key])), (before, -1));
}
