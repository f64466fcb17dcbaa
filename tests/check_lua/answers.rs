//! The reply of a call, case by case.

use crate::T;
use crate::oracle::Oracle;
use crate::support::{Redis, bucket, log};

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
fn a_log_has_the_exact_retry_near_2_53() {
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
fn a_log_with_a_gap_still_decides() {
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
fn a_cost_that_never_fits_gets_retry_minus_one() {
    let mut redis = Redis::start();
    assert_eq!(redis.check("s", &[bucket("b", 5, 1000, 10), log("l", 20, 1000)], &[11], T), [0, 10, -1, 0, 20, 0, 0]);
    assert_eq!(redis.check("s", &[log("l", 20, 1000)], &[21], T), [0, 20, -1, 0]);
    assert!(redis.dump("s").is_empty());
}

#[test]
fn peek_charges_nothing() {
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
fn without_a_time_the_servers_clock_decides() {
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
fn it_survives_a_script_flush() {
    let mut redis = Redis::start();
    let words = crate::support::words("s", &[log("l", 2, 60_000)], &[1], T);
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
