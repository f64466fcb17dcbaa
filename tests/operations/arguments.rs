//! Wrong arguments are refused, and the error names them.

use crate::support::Redis;

#[test]
fn wrong_arguments_are_named_and_change_nothing() {
    let mut redis = Redis::start();
    let (one, bucket) = ("1 1 r 1 0 0 1", "a token_bucket 1 1 1 1");
    for (arguments, message) in [
        (String::new(), "ARGV[1] (now_ms): expected an integer from 0, found nothing"),
        ("-1".into(), "ARGV[1] (now_ms): expected an integer from 0, found -1"),
        ("1.5".into(), "ARGV[1] (now_ms): expected an integer from 0, found 1.5"),
        ("9007199254740992".into(), "ARGV[1] (now_ms): expected an integer from 0, found 9007199254740992"),
        ("1 0".into(), "ARGV[2] (charged_at): expected an integer from 1, found 0"),
        ("1 1".into(), "ARGV[3] (request): expected 1 to 200 characters without space, found nothing"),
        (format!("1 1 {}", "x".repeat(201)), "ARGV[3] (request): expected 1 to 200 characters without space, found x"),
        ("1 1 r 0".into(), "ARGV[4] (memory_ms): expected an integer from 1, found 0"),
        ("1 1 r 1 x".into(), "ARGV[5] (more): expected an integer from 0, found x"),
        ("1 1 r 1 0".into(), "ARGV[6] (less): expected an integer from 0, found nothing"),
        ("1 1 r 1 2 3 1".into(), "ARGV[6] (less): expected 0 if more is not 0, found 3"),
        ("1 1 r 1 2 0 0".into(), "ARGV[7] (limits): expected an integer from 1, found 0"),
        (one.into(), "ARGV[8] (name): expected letters, digits, _ - ., found nothing"),
        (format!("{one} a;b {bucket}"), "ARGV[8] (name): expected letters, digits, _ - ., found a;b"),
        (format!("{one} a leaky"), "ARGV[9] (algorithm): expected the name of an algorithm, found leaky"),
        (format!("{one} a token_bucket 0"), "ARGV[10] (window_ms): expected an integer from 1, found 0"),
        (format!("{one} a token_bucket month"), "ARGV[10] (window_ms): expected an integer from 1, found month"),
        (format!("{one} a token_bucket 1 0"), "ARGV[11] (burst): expected an integer from 1, found 0"),
        (format!("{one} a token_bucket 1 1 0"), "ARGV[12] (refill): expected an integer from 1, found 0"),
        (format!("{one} a token_bucket 1 1 1"), "ARGV[13] (fractions): expected an integer from 1, found nothing"),
        (
            format!("{one} a token_bucket 1000 9007199254741 7 1000"),
            "ARGV[11] (burst): expected less than 2^53 fractions, found 9007199254741",
        ),
        (format!("{one} a fixed_window year 1"), "ARGV[10] (window_ms): expected an integer from 1, found year"),
        (format!("{one} a fixed_window month 0"), "ARGV[11] (limit): expected an integer from 1, found 0"),
        (
            format!("{one} a sliding_window 1000 9007199254741"),
            "ARGV[11] (limit): expected less than 2^53 when multiplied by its window, found 9007199254741",
        ),
        (format!("{one} a concurrency 0 1"), "ARGV[10] (lease_ms): expected an integer from 1, found 0"),
        (format!("{one} {bucket} 7"), "expected 13 arguments, found 14"),
        (format!("{one} a sliding_log 1 1"), "these limits need 3 keys, found 2"),
        (format!("{one} a concurrency 1 1"), "these limits need 3 keys, found 2"),
    ] {
        let mut call = vec!["EVAL", include_str!("../../lua/settle.lua"), "2", "sg:1:{s}", "sg:1:{s}:settled"];
        call.extend(arguments.split(' ').filter(|word| !word.is_empty()));
        let error = redis.try_run::<Vec<i64>>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("settle.lua: {message}")), "{arguments}: {error}");
    }
    let (release, reset) = (include_str!("../../lua/release.lua"), include_str!("../../lua/reset.lua"));
    for (call, message) in [
        (vec!["EVAL", release, "0", "a"], "release.lua: expected 1 key or more, found 0"),
        (
            vec!["EVAL", release, "1", "k"],
            "release.lua: ARGV[1] (lease): expected 1 to 200 characters without space, found nothing",
        ),
        (
            vec!["EVAL", release, "1", "k", "a", "b c"],
            "release.lua: ARGV[2] (lease): expected 1 to 200 characters without space, found b c",
        ),
        (vec!["EVAL", reset, "0"], "reset.lua: expected 1 key or more, found 0"),
        (vec!["EVAL", reset, "1", "k", "a"], "reset.lua: expected 0 arguments, found 1"),
    ] {
        let error = redis.try_run::<i64>(&call).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert_eq!(redis.run::<i64>(&["DBSIZE"]), 0);
}
