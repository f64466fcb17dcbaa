//! The state that a call leaves in Redis.

use crate::T;
use crate::support::{Redis, bucket, fixed, log, sliding};

#[test]
fn keys_expire_one_second_after_their_state_is_full() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 60_000, 10), bucket("slow", 10, 600_000, 10), log("l", 10, 120_000)];
    redis.check("s", &limits, &[5], T);
    for (key, full_in) in [("sg:1:{s}", 300_000), ("sg:1:{s}:log:l", 120_000)] {
        let ttl: i64 = redis.run(&["PTTL", key]);
        assert!(full_in - 9000 < ttl && ttl <= full_in + 1000, "{key}: {ttl} of {full_in}");
    }
    // Checked half a minute in the past, the state matters half a minute longer.
    redis.check("s", &limits, &[1], T - 30_000);
    let ttl: i64 = redis.run(&["PTTL", "sg:1:{s}:log:l"]);
    assert!(141_000 < ttl && ttl <= 151_000, "{ttl}");
}

#[test]
fn unnamed_limits_keep_their_state_until_full() {
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
fn only_a_charge_writes() {
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
fn the_state_has_the_documented_format() {
    let mut redis = Redis::start();
    let limits = [bucket("a", 2, 1000, 3), fixed("b", 9, 60_000), sliding("c", 9, 1000), log("d", 9, 1000)];
    let words = "a token_bucket 1000 3 1 500 b fixed_window 60000 9 c sliding_window 1000 9 d sliding_log 1000 9";
    // A call without a state, one with the same limits in the state, and one with another limit in it.
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
fn a_state_has_room_for_128_limits() {
    let mut redis = Redis::start();
    let number = |i: usize| bucket(&format!("n{i}"), 10, 60_000, 10);
    for i in 0..128 {
        assert_eq!(redis.check_kept("s", &[number(i)], &[1], T)[0], 1, "{i}");
    }
    let before = redis.dump("s");
    let more = crate::support::words("s", &[number(128), log("l", 10, 60_000)], &[1], T);
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let error = redis.try_run::<Vec<i64>>(&more).unwrap_err().to_string();
    let message = "check.lua: KEYS[1] (state): expected at most 128 limits, found 129 \
                   (name limits that it has, or reset the subject)";
    assert!(error.contains(message), "{error}");
    assert_eq!(redis.dump("s"), before, "nothing is charged to the log either");
    // Known limits are still charged, and so is a log, which has its own key.
    assert_eq!(redis.check_kept("s", &[number(7), log("l", 10, 60_000), number(127)], &[1], T)[..2], [1, 8]);
    // Full limits are dropped and make room.
    assert_eq!(redis.check_kept("s", &[number(128)], &[1], T + 6000)[..2], [1, 9]);
    let state: String = redis.run(&["GET", "sg:1:{s}"]);
    assert_eq!(
        state,
        format!(
            "n128 token_bucket 60000 10 1 6000 n7 token_bucket 60000 10 1 6000 \
        n127 token_bucket 60000 10 1 6000|{} 6000 6000 6000",
            T + 6000
        )
    );
}

/// A check whose last two limits are in the states of a value and of everyone.
fn check_three(redis: &mut Redis, value: &str, limits: [&crate::support::Spec; 3], cost: u64, now: u64) -> Vec<i64> {
    let user = format!("sg:1:{{s}}:by:header:x-user:{value}");
    let mut words: Vec<String> =
        ["EVAL", &crate::support::kept(include_str!("../../lua/check.lua")), "3", "sg:1:{s}", &user, "sg:1:{everyone}"]
            .map(str::to_owned)
            .to_vec();
    words.extend([now.to_string(), "1,1,1".to_owned()]);
    words.extend(limits.iter().flat_map(|limit| limit.arguments()));
    words.extend(["1".to_owned(), cost.to_string()]);
    redis.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn every_state_has_its_own_text_and_time() {
    let mut redis = Redis::start();
    let (own, user, all) = (bucket("own", 9, 9000, 9), fixed("user", 9, 60_000), sliding("all", 9, 1000));
    check_three(&mut redis, "ada", [&own, &user, &all], 1, T);
    check_three(&mut redis, "bob", [&own, &user, &all], 2, T + 1000);
    let state = |redis: &mut Redis, key: &str| redis.run::<String>(&["GET", key]);
    assert_eq!(state(&mut redis, "sg:1:{s}"), format!("own token_bucket 9000 9 1 1000|{} 2000", T + 1000));
    let user_key = |name: &str| format!("sg:1:{{s}}:by:header:x-user:{name}");
    assert_eq!(state(&mut redis, &user_key("ada")), format!("user fixed_window 60000 9|{T} 1"));
    assert_eq!(state(&mut redis, &user_key("bob")), format!("user fixed_window 60000 9|{} 2", T + 1000));
    assert_eq!(state(&mut redis, "sg:1:{everyone}"), format!("all sliding_window 1000 9|{} 2 1", T + 1000));

    // A limit that the call does not name stays in its state, and only there.
    redis.check_kept("s", &[bucket("other", 9, 9000, 9)], &[1], T + 1000);
    check_three(&mut redis, "bob", [&own, &user, &all], 1, T + 1000);
    assert_eq!(
        state(&mut redis, "sg:1:{s}"),
        format!("own token_bucket 9000 9 1 1000 other token_bucket 9000 9 1 1000|{} 3000 1000", T + 1000)
    );
    assert_eq!(state(&mut redis, &user_key("bob")), format!("user fixed_window 60000 9|{} 3", T + 1000));
    assert_eq!(state(&mut redis, "sg:1:{everyone}"), format!("all sliding_window 1000 9|{} 3 1", T + 1000));
}

/// A further subject costs one more `GET`, and one more `SET` if the request is allowed.
#[test]
fn a_further_subject_costs_two_commands() {
    let mut redis = Redis::start();
    let (own, user, all) = (bucket("own", 2, 9000, 2), fixed("user", 9, 60_000), sliding("all", 9, 1000));
    for (cost, gets, sets) in [(2, 3, 3), (2, 3, 0), (0, 3, 0)] {
        redis.run::<()>(&["CONFIG", "RESETSTAT"]);
        check_three(&mut redis, "ada", [&own, &user, &all], cost, T);
        let statistics: String = redis.run(&["INFO", "commandstats"]);
        let calls = |name: &str| {
            let line = statistics.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
            line.map_or(0, |line| line.split(',').next().unwrap().parse::<u64>().unwrap())
        };
        assert_eq!((calls("eval"), calls("get"), calls("set")), (1, gets, sets), "{cost}");
    }
}

#[test]
fn a_full_state_among_several_changes_none() {
    let mut redis = Redis::start();
    for i in 0..128 {
        assert_eq!(redis.check_kept("everyone", &[bucket(&format!("n{i}"), 10, 60_000, 10)], &[1], T)[0], 1, "{i}");
    }
    let before = redis.dump_all();
    let key = ["sg:1:{s}", "sg:1:{everyone}"];
    let mut words = vec!["EVAL", include_str!("../../lua/check.lua"), "2", key[0], key[1], "1800000000000", "1,1"];
    words.extend("a token_bucket 60000 10 1 6000 b token_bucket 60000 10 1 6000 1 1".split(' '));
    let error = redis.try_run::<Vec<i64>>(&words).unwrap_err().to_string();
    assert!(error.contains("check.lua: KEYS[2] (state): expected at most 128 limits, found 129"), "{error}");
    assert_eq!(redis.dump_all(), before);
}
