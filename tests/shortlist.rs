//! `lua/shortlist.lua` on a real redis-server: what it keeps, and for how long.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use support::Redis;

const DAY: u64 = 86_400_000;

/// Sends a report, and returns the threshold.
fn report(redis: &mut Redis, now: u64, day: u64, places: u64, tenants: &str) -> u64 {
    let head = [now, day, places].map(|number| number.to_string());
    let mut command = vec!["EVAL", include_str!("../lua/shortlist.lua"), "1", "list"];
    command.extend(head.iter().map(String::as_str));
    command.extend(tenants.split_whitespace());
    redis.run(&command)
}

/// Returns the lines of the shortlist.
fn lines(redis: &mut Redis) -> Vec<String> {
    redis.run::<String>(&["GET", "list"]).lines().map(str::to_owned).collect()
}

#[test]
fn tenants_with_most_units_keep_their_places() {
    let mut redis = Redis::start();
    assert_eq!(report(&mut redis, 1000, 7, 2, "a 5 0 0 0 - b 9 1 0 0 -"), 5);
    assert_eq!(report(&mut redis, 2000, 7, 2, "c 7 0 0 0 - b 10 2 0 0 -"), 7);
    assert_eq!(lines(&mut redis), ["2000", "b 7 10 3 0 0 -", "c 7 7 0 0 0 -"], "refusals add up, units do not");
    assert_eq!(report(&mut redis, 3000, 7, 2, "b 1 0 0 0 -"), 1, "units were given back");
    assert_eq!(report(&mut redis, 4000, 7, 3, ""), 0, "a place is free");
    assert_eq!(report(&mut redis, 5000, 8, 2, "d 1 0 0 0 -"), 0, "a new day");
    assert_eq!(lines(&mut redis), ["5000", "d 8 1 0 0 0 -"]);
    report(&mut redis, 5001, 7, 2, "d 100 9 0 0 -");
    assert_eq!(lines(&mut redis), ["5001", "d 8 1 0 0 0 -"], "a clock that is behind");
}

#[test]
fn tenants_near_a_limit_keep_their_places_until_it_is_full_again() {
    let mut redis = Redis::start();
    report(&mut redis, 1000, 7, 1, "a 5 0 80 9000 x:1:2:3 b 9 0 0 0 - c 1 0 95 2000 -");
    assert_eq!(lines(&mut redis), ["1000", "b 7 9 0 0 0 -", "c 7 1 0 95 2000 -"]);
    report(&mut redis, 2000, 7, 1, "a 5 0 80 9000 x:1:2:3");
    assert_eq!(lines(&mut redis), ["2000", "b 7 9 0 0 0 -", "a 7 5 0 80 9000 x:1:2:3"]);
    report(&mut redis, 3000, 8, 1, "a 6 0 0 0 -");
    assert_eq!(lines(&mut redis), ["3000", "a 8 6 0 80 9000 x:1:2:3"], "a report without a near limit changes nothing");
    report(&mut redis, 9000, 9, 1, "z 0 1 0 0 -");
    assert_eq!(lines(&mut redis), ["9000"]);
}

#[test]
fn size_and_life_are_bounded() {
    let mut redis = Redis::start();
    for part in 0..20 {
        let tenants: Vec<_> = (0..100).map(|i| format!("t{part}-{i} {i} 0 {} 100000 -", 80 + i % 20)).collect();
        report(&mut redis, 1000, 7, 64, &tenants.join(" "));
    }
    assert!((65..=129).contains(&lines(&mut redis).len()));
    let life = |redis: &mut Redis| redis.run::<u64>(&["PTTL", "list"]);
    let within = |life: u64, days: u64| (days * DAY - 60_000..=days * DAY).contains(&life);
    assert!(within(life(&mut redis), 2));
    report(&mut redis, 1000, 7, 64, &format!("a 1 0 100 {} -", 1000 + 31 * DAY));
    assert!(within(life(&mut redis), 31), "as long as a tenant is near a limit");
    report(&mut redis, 1000, 7, 64, &format!("a 1 0 100 {} -", 1000 + 3650 * DAY));
    assert!(within(life(&mut redis), 366));
}

#[test]
fn lines_of_another_form_are_dropped() {
    let mut redis = Redis::start();
    redis.run::<()>(&["SET", "list", "garbage\na 7 5 0 0 0 -\nb 7 x 0 0 0 -\nc 7 5\n"]);
    report(&mut redis, 1000, 7, 9, "");
    assert_eq!(lines(&mut redis), ["1000", "a 7 5 0 0 0 -"]);
}

#[test]
fn wrong_arguments_are_named_and_change_nothing() {
    let mut redis = Redis::start();
    for (arguments, message) in [
        ("", "ARGV[1] (now_ms): expected an integer from 0, found nothing"),
        ("1.5", "ARGV[1] (now_ms): expected an integer from 0, found 1.5"),
        ("1 x", "ARGV[2] (day): expected an integer from 0, found x"),
        ("1 1 0", "ARGV[3] (places): expected an integer from 1, found 0"),
        ("1 1 1 a", "ARGV[5] (units): expected an integer from 0, found nothing"),
        ("1 1 1 a 1 -1", "ARGV[6] (refused): expected an integer from 0, found -1"),
        ("1 1 1 a 1 1 9007199254740992", "ARGV[7] (share): expected an integer from 0, found 9007199254740992"),
        ("1 1 1 a 1 1 1 x", "ARGV[8] (until_ms): expected an integer from 0, found x"),
        ("1 1 1 a 1 1 1 1", "ARGV[9] (readings): expected a text without space, found nothing"),
    ] {
        let mut command = vec!["EVAL", include_str!("../lua/shortlist.lua"), "1", "list"];
        command.extend(arguments.split_whitespace());
        let error = redis.try_run::<redis::Value>(&command).unwrap_err().to_string();
        assert!(error.contains(message), "{arguments}: {error}");
    }
    let spaces =
        ["EVAL", include_str!("../lua/shortlist.lua"), "1", "list", "1", "1", "1", "a b", "1", "1", "1", "1", "-"];
    let error = redis.try_run::<redis::Value>(&spaces).unwrap_err().to_string();
    assert!(error.contains("ARGV[4] (tenant): expected a text without space, found a b"), "{error}");
    assert_eq!(redis.run::<u64>(&["DBSIZE"]), 0);
}
