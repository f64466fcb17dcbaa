//! Arguments of a call, and the errors for wrong ones.

use std::process::Command;

use crate::T;
use crate::support::{Redis, bucket};

#[test]
fn a_server_with_32_bit_formatting_is_refused() {
    let mut redis = Redis::start();
    let mut words = crate::support::words("s", &[bucket("b", 2, 1000, 3)], &[1], T);
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
        ("1 1", "ARGV[4] (algorithm): expected the name of an algorithm, found nothing"),
        ("1 1 a", "ARGV[4] (algorithm): expected the name of an algorithm, found nothing"),
        ("1 1 a leaky", "ARGV[4] (algorithm): expected the name of an algorithm, found leaky"),
        ("1 1 a;b fixed_window 1 1 1 1", "ARGV[3] (name): expected letters, digits, _ - ., found a;b"),
        ("1 1 a token_bucket", "ARGV[5] (window_ms): expected an integer from 1, found nothing"),
        ("1 1 a token_bucket 0 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 0 1 1", "ARGV[6] (burst): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 1 0 1", "ARGV[7] (refill): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 1 1 x", "ARGV[8] (fractions): expected an integer from 1, found x"),
        (
            "1 1 a token_bucket 1000 9007199254741 7 1000 1 1",
            "ARGV[6] (burst): expected less than 2^53 fractions, found 9007199254741",
        ),
        ("1 1 a fixed_window year 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found year"),
        ("1 1 a fixed_window month 0 1 1", "ARGV[6] (limit): expected an integer from 1, found 0"),
        ("1 1 a sliding_window month 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found month"),
        (
            "1 1 a sliding_window 1000 9007199254741 1 1",
            "ARGV[6] (limit): expected less than 2^53 when multiplied by its window, found 9007199254741",
        ),
        ("1 1 a concurrency 0 1 1 1 x", "ARGV[5] (lease_ms): expected an integer from 1, found 0"),
        ("1 1 a token_bucket 1 1 1 1", "ARGV[9] (requests): expected an integer from 1, found nothing"),
        ("1 1 a token_bucket 1 1 1 1 1", "ARGV[10] (cost): expected an integer from 0, found nothing"),
        ("1 1 a token_bucket 1 1 1 1 1 1 1", "expected 10 arguments, found 11"),
        ("0x10 1 a fixed_window 1 1 1 1", "ARGV[1] (now_ms): expected an integer from 0, found 0x10"),
        ("1e3 1 a fixed_window 1 1 1 1", "ARGV[1] (now_ms): expected an integer from 0, found 1e3"),
        ("1 0x1 a fixed_window 1 1 1 1", "ARGV[2] (limits): expected an integer from 1, found 0x1"),
        ("1 1 a fixed_window 1e3 1 1 1", "ARGV[5] (window_ms): expected an integer from 1, found 1e3"),
        ("1 1 a fixed_window 1000 0x10 1 1", "ARGV[6] (limit): expected an integer from 1, found 0x10"),
        ("1 1 a fixed_window 1000 1.0 1 1", "ARGV[6] (limit): expected an integer from 1, found 1.0"),
        ("1 1 a token_bucket 1 1 +1 1 1 1", "ARGV[7] (refill): expected an integer from 1, found +1"),
        ("1 1 a fixed_window 1 1 1e0 1", "ARGV[7] (requests): expected an integer from 1, found 1e0"),
        ("1 1 a fixed_window 1 1 1 0x1", "ARGV[8] (cost): expected an integer from 0, found 0x1"),
        ("1 1 a fixed_window 1 9 1 1e0", "ARGV[8] (cost): expected an integer from 0, found 1e0"),
        ("1 1 a fixed_window 1 9 1 -1", "ARGV[8] (cost): expected an integer from 0, found -1"),
        ("1 1 a sliding_log 1 1 1 1", "these limits need 2 keys, found 1"),
        ("2 1 a concurrency 1 1 1 1", "these limits need 2 keys, found 1"),
    ] {
        let mut call = vec!["EVAL", include_str!("../../lua/check.lua"), "1", key];
        call.extend(arguments.split(' ').filter(|word| !word.is_empty()));
        let error = redis.try_run::<Vec<i64>>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("check.lua: {message}")), "{arguments}: {error}");
    }
    // Several states.
    let bucket = "token_bucket 1 1 1 1";
    for (keys, arguments, message) in [
        ("s t", "1 1,", "ARGV[2] (limits): expected integers from 1, joined by commas, found 1,"),
        ("s t", "1 ,1", "ARGV[2] (limits): expected integers from 1, joined by commas, found ,1"),
        ("s t", "1 1,0", "ARGV[2] (limits): expected integers from 1, joined by commas, found 1,0"),
        ("s t", "1 1,1e3", "ARGV[2] (limits): expected integers from 1, joined by commas, found 1,1e3"),
        ("s t", "1 1,9007199254740992", "ARGV[2] (limits): expected integers from 1, joined by commas"),
        ("s t", &format!("1 1,1 a {bucket}"), "ARGV[10] (algorithm): expected the name of an algorithm, found nothing"),
        (
            "s t",
            &format!("1 1,1 a {bucket} b {bucket} 1"),
            "ARGV[16] (cost): expected an integer from 0, found nothing",
        ),
        (
            "s t",
            &format!("1 1,1 a {bucket} b; {bucket} 1 1"),
            "ARGV[9] (name): expected letters, digits, _ - ., found b;",
        ),
        (
            "s t",
            "1 1,1 a token_bucket 1 1 1 1 b token_bucket 1 1",
            "ARGV[13] (refill): expected an integer from 1, found nothing",
        ),
        ("s", &format!("1 1,1 a {bucket} b {bucket} 1 1"), "expected a key for each of 2 states, found 1"),
        ("s t u", &format!("1 1,1 a {bucket} b {bucket} 1 1"), "these limits need 2 keys, found 3"),
        ("s t", &format!("1 1,1 a {bucket} b sliding_log 1 1 1 1"), "these limits need 3 keys, found 2"),
        ("s s", &format!("1 1,1 a {bucket} b {bucket} 1 1"), "expected a key for each state, found KEYS[1] twice"),
    ] {
        let keys: Vec<&str> = keys.split(' ').collect();
        let count = keys.len().to_string();
        let mut call = vec!["EVAL", include_str!("../../lua/check.lua"), count.as_str()];
        call.extend(keys);
        call.extend(arguments.split(' '));
        let error = redis.try_run::<Vec<i64>>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("check.lua: {message}")), "{arguments}: {error}");
    }
    for lease in ["", "a b", "\n", &"x".repeat(201)] {
        let mut call = vec!["EVAL", include_str!("../../lua/check.lua"), "2", key, "sg:1:{s}:inflight:a"];
        call.extend(["1", "1", "a", "concurrency", "1000", "1", "1", "1", lease]);
        let error = redis.try_run::<Vec<i64>>(&call).unwrap_err().to_string();
        assert!(error.contains("ARGV[9] (lease): expected 1 to 200 characters without space"), "{lease:?}: {error}");
    }
    assert_eq!(redis.run::<i64>(&["DBSIZE"]), 0);
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
    assert_eq!(examples, sluicegate::redis::script::ALL.len());
}

// Properties -----------------------------------------------------------------------------------------
