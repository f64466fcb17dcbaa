//! The scripts of the lock, called directly with `EVAL`.

use std::time::Duration;

use tokio::time::Instant;

use crate::server::Server;
use crate::{FENCE, LOCK};

const ACQUIRE: &str = include_str!("../../lua/lock_acquire.lua");
const RENEW: &str = include_str!("../../lua/lock_renew.lua");
const RELEASE: &str = include_str!("../../lua/lock_release.lua");
const WRITE: &str = include_str!("../../lua/fenced_write.lua");
const VALUE: &str = "sg:1:{lock:job}:value:v";
const NEWEST: &str = "sg:1:{lock:job}:newest:v";

/// Calls the scripts of the lock on one server.
pub(crate) struct Scripts {
    pub(crate) server: Server,
}

impl Scripts {
    pub(crate) fn acquire(&mut self, owner: &str, ttl: u64) -> [i64; 3] {
        self.server.run(&["EVAL", ACQUIRE, "2", LOCK, FENCE, owner, &ttl.to_string()])
    }

    pub(crate) fn renew(&mut self, owner: &str, token: i64, ttl: u64) -> i64 {
        self.server.run(&["EVAL", RENEW, "1", LOCK, owner, &token.to_string(), &ttl.to_string()])
    }

    pub(crate) fn release(&mut self, owner: &str, token: i64) -> i64 {
        self.server.run(&["EVAL", RELEASE, "1", LOCK, owner, &token.to_string()])
    }

    pub(crate) fn write(&mut self, token: i64, new: &str, expiry: &str) -> [i64; 2] {
        self.server.run(&["EVAL", WRITE, "3", VALUE, NEWEST, FENCE, &token.to_string(), new, expiry])
    }

    pub(crate) fn value(&mut self) -> Option<String> {
        self.server.run(&["GET", VALUE])
    }
}

#[tokio::test]
async fn only_the_holder_renews_and_releases() {
    let mut scripts = Scripts { server: Server::start().await };
    assert_eq!(scripts.acquire("a", 3_600_000), [1, 1, 0]);
    let [acquired, token, free_in] = scripts.acquire("b", 9_000_000);
    assert!((acquired, token) == (0, 0) && 3_590_000 < free_in && free_in <= 3_600_000, "{free_in}");
    let before = scripts.server.dump();
    for (owner, token) in [("b", 1), ("a", 2), ("1:a", 1), ("a ", 1)] {
        assert_eq!(scripts.renew(owner, token, 1), 0, "{owner} {token}");
        assert_eq!(scripts.release(owner, token), 0, "{owner} {token}");
    }
    assert_eq!(scripts.server.dump(), before);
    assert_eq!(scripts.renew("a", 1, 7_200_000), 1);
    let ttl: i64 = scripts.server.run(&["PTTL", LOCK]);
    assert!(7_190_000 < ttl && ttl <= 7_200_000, "{ttl}");
    assert_eq!(scripts.release("a", 1), 1);
    assert_eq!(scripts.release("a", 1), 0, "a second release does nothing");
    assert_eq!(scripts.renew("a", 1, 1000), 0, "a released lock is not renewed");
    assert_eq!(scripts.acquire("b", 1000)[..2], [1, 2]);
    assert_eq!(scripts.release("a", 1), 0, "a late release does not release the next holder's lock");
}

#[tokio::test]
async fn owners_of_any_name_are_distinct() {
    let mut scripts = Scripts { server: Server::start().await };
    let owners = ["a", "1:a", ":a", "a:", "a\n", "%s", "é", "a\0b", "a\0c"];
    for owner in owners {
        let [acquired, token, _] = scripts.acquire(owner, 60_000);
        assert_eq!(acquired, 1, "{owner:?}");
        for other in owners.into_iter().filter(|other| *other != owner) {
            assert_eq!(scripts.acquire(other, 60_000)[0], 0, "{other:?} while {owner:?} holds it");
            assert_eq!(scripts.release(other, token), 0);
        }
        assert_eq!(scripts.release(owner, token), 1);
    }
}

#[tokio::test]
async fn acquiring_again_gives_a_new_lease_and_token() {
    let mut scripts = Scripts { server: Server::start().await };
    assert_eq!(scripts.acquire("a", 1000), [1, 1, 0]);
    assert_eq!(scripts.acquire("a", 60_000), [1, 2, 0]);
    assert!(scripts.server.run::<i64>(&["PTTL", LOCK]) > 50_000);
    assert_eq!(scripts.renew("a", 1, 60_000), 0, "the older token is invalid");
    assert_eq!(scripts.release("a", 1), 0);
    assert_eq!(scripts.write(1, "old", "never"), [0, 2]);
    assert_eq!(scripts.write(2, "new", "never"), [1, 2]);
    assert_eq!(scripts.release("a", 2), 1);
}

#[tokio::test]
async fn tokens_rise_through_release_expiry_deletion_and_flush() {
    let mut scripts = Scripts { server: Server::start().await };
    let mut tokens = vec![scripts.acquire("a", 60_000)[1]];
    scripts.release("a", 1);
    tokens.push(scripts.acquire("b", 60_000)[1]);
    scripts.server.run::<i64>(&["DEL", LOCK]);
    tokens.push(scripts.acquire("c", 1)[1]);
    let deadline = Instant::now() + Duration::from_secs(10);
    tokens.push(loop {
        let [acquired, token, _] = scripts.acquire("d", 60_000);
        if acquired == 1 {
            break token;
        }
        assert!(Instant::now() < deadline, "the lease has not ended");
    });
    scripts.server.run::<()>(&["SCRIPT", "FLUSH"]);
    scripts.release("d", 4);
    tokens.push(scripts.acquire("a", 60_000)[1]);
    assert_eq!(tokens, [1, 2, 3, 4, 5]);
    assert_eq!(scripts.server.run::<i64>(&["PTTL", FENCE]), -1, "the counter does not expire");
}

#[tokio::test]
async fn only_counters_have_no_expiry() {
    let mut scripts = Scripts { server: Server::start().await };
    let [_, token, _] = scripts.acquire("a", 60_000);
    assert_eq!(scripts.write(token, "x", "60000"), [1, token]);
    let without_expiry: Vec<_> =
        scripts.server.dump().into_iter().filter(|(_, _, expires)| !expires).map(|(key, ..)| key).collect();
    assert_eq!(without_expiry, [FENCE, NEWEST]);
    assert_eq!(scripts.renew("a", token, 60_000), 1);
    assert!(scripts.server.run::<i64>(&["PTTL", LOCK]) > 0);
}

#[tokio::test]
async fn a_value_sets_keeps_and_drops_its_expiry() {
    let mut scripts = Scripts { server: Server::start().await };
    let mut write = |token: i64, new, expiry| {
        scripts.server.run::<()>(&["SET", FENCE, &token.to_string()]);
        assert_eq!(scripts.write(token, new, expiry), [1, token]);
        scripts.server.run::<i64>(&["PTTL", VALUE])
    };
    assert_eq!(write(1, "a", "keep"), -1);
    for (expiry, max) in [("60000", 60_000), ("keep", 60_000), ("3600000", 3_600_000)] {
        let ttl = write(1, "b", expiry);
        assert!(max - 10_000 < ttl && ttl <= max, "{expiry}: {ttl}");
    }
    assert_eq!(write(2, "c", "never"), -1);
}

#[tokio::test]
async fn a_deleted_value_is_still_fenced() {
    let mut scripts = Scripts { server: Server::start().await };
    let max = (1_i64 << 53) - 1;
    scripts.server.run::<()>(&["SET", FENCE, "7"]);
    assert_eq!(scripts.write(7, "x", "never"), [1, 7]);
    scripts.server.run::<i64>(&["DEL", VALUE]);
    assert_eq!(scripts.write(6, "stale", "never"), [0, 7]);
    assert_eq!(scripts.value(), None);
    assert_eq!(scripts.write(7, "y", "never"), [1, 7]);
    scripts.server.run::<()>(&["SET", FENCE, &max.to_string()]);
    assert_eq!(scripts.write(max, "z", "never"), [1, max]);
    assert_eq!(scripts.write(max - 1, "stale", "never"), [0, max]);
    assert_eq!(scripts.value().unwrap(), "z");
}

#[tokio::test]
async fn an_unissued_token_writes_nothing() {
    let mut scripts = Scripts { server: Server::start().await };
    let max = (1_i64 << 53) - 1;
    for token in [1, max] {
        assert_eq!(scripts.write(token, "x", "never"), [0, 0], "no token was issued");
    }
    assert!(scripts.server.dump().is_empty());
    assert_eq!(scripts.acquire("a", 60_000), [1, 1, 0]);
    for token in [2, max] {
        assert_eq!(scripts.write(token, "x", "never"), [0, 1]);
    }
    assert_eq!(scripts.value(), None);
    assert_eq!(scripts.write(1, "y", "never"), [1, 1], "the holder may write");
}

#[tokio::test]
async fn a_lost_counter_continues_from_the_held_token() {
    let mut scripts = Scripts { server: Server::start().await };
    for token in 1..=3 {
        assert_eq!(scripts.acquire("a", 60_000), [1, token, 0]);
    }
    assert_eq!(scripts.write(3, "x", "never"), [1, 3]);
    scripts.server.run::<i64>(&["DEL", FENCE]);
    assert_eq!(scripts.write(3, "y", "never"), [0, 3], "no token is valid without the counter");
    assert_eq!(scripts.acquire("a", 60_000), [1, 4, 0]);
    assert_eq!(scripts.write(3, "y", "never"), [0, 4]);
    assert_eq!(scripts.write(4, "z", "never"), [1, 4]);
    assert_eq!(scripts.acquire("a", 60_000), [1, 5, 0]);
    assert_eq!(scripts.server.run::<i64>(&["PTTL", FENCE]), -1, "the counter does not expire");
}

#[tokio::test]
async fn a_lost_counter_admits_no_old_token() {
    let mut scripts = Scripts { server: Server::start().await };
    scripts.server.run::<()>(&["SET", FENCE, "41"]);
    assert_eq!(scripts.acquire("a", 60_000), [1, 42, 0]);
    assert_eq!(scripts.write(42, "x", "never"), [1, 42]);
    scripts.server.run::<i64>(&["DEL", LOCK, FENCE]);
    assert_eq!(scripts.acquire("b", 60_000), [1, 1, 0]);
    assert_eq!(scripts.write(1, "y", "never"), [0, 42]);
    assert_eq!(scripts.write(42, "y", "never"), [0, 42], "another owner holds the lock");
}

#[tokio::test]
async fn tokens_stop_before_losing_precision() {
    let mut scripts = Scripts { server: Server::start().await };
    scripts.server.run::<()>(&["SET", FENCE, "9007199254740990"]);
    assert_eq!(scripts.acquire("a", 60_000), [1, 9_007_199_254_740_991, 0]);
    assert_eq!(scripts.renew("a", 9_007_199_254_740_991, 60_000), 1);
    assert_eq!(scripts.write(9_007_199_254_740_990, "x", "never"), [0, 9_007_199_254_740_991]);
    assert_eq!(scripts.write(9_007_199_254_740_991, "x", "never"), [1, 9_007_199_254_740_991]);
    assert_eq!(scripts.release("a", 9_007_199_254_740_991), 1);
    let call = ["EVAL", ACQUIRE, "2", LOCK, FENCE, "a", "60000"];
    let error = scripts.server.try_run::<redis::Value>(&call).unwrap_err().to_string();
    assert!(error.contains("lock_acquire.lua: KEYS[2] (fence): all tokens below 2^53 are used"), "{error}");
    assert_eq!(scripts.server.run::<Option<String>>(&["GET", LOCK]), None);
}

#[tokio::test]
async fn wrong_arguments_are_named_and_change_nothing() {
    let mut scripts = Scripts { server: Server::start().await };
    scripts.acquire("a", 3_600_000);
    scripts.write(1, "x", "3600000");
    let before = scripts.server.dump();
    let integer = "expected an integer from 1, found";
    let expiry = "expected keep, never or an integer from 1, found";
    for (name, script, keys, arguments, message) in [
        ("lock_acquire", ACQUIRE, 2, &[][..], "ARGV[1] (owner): expected 1 byte or more, found nothing".to_owned()),
        ("lock_acquire", ACQUIRE, 2, &["", "1"], "ARGV[1] (owner): expected 1 byte or more, found ".to_owned()),
        ("lock_acquire", ACQUIRE, 2, &["a"], format!("ARGV[2] (ttl_ms): {integer} nothing")),
        ("lock_acquire", ACQUIRE, 2, &["a", "0"], format!("ARGV[2] (ttl_ms): {integer} 0")),
        ("lock_acquire", ACQUIRE, 2, &["a", "1.5"], format!("ARGV[2] (ttl_ms): {integer} 1.5")),
        (
            "lock_acquire",
            ACQUIRE,
            2,
            &["a", "9007199254740992"],
            format!("ARGV[2] (ttl_ms): {integer} 9007199254740992"),
        ),
        ("lock_acquire", ACQUIRE, 2, &["a", "1", "x"], "expected 2 arguments, found 3".to_owned()),
        ("lock_acquire", ACQUIRE, 1, &["a", "1"], "expected 2 keys, found 1".to_owned()),
        ("lock_renew", RENEW, 1, &[], "ARGV[1] (owner): expected 1 byte or more, found nothing".to_owned()),
        ("lock_renew", RENEW, 1, &["a"], format!("ARGV[2] (token): {integer} nothing")),
        ("lock_renew", RENEW, 1, &["a", "0", "1"], format!("ARGV[2] (token): {integer} 0")),
        ("lock_renew", RENEW, 1, &["a", "1e0", "1"], format!("ARGV[2] (token): {integer} 1e0")),
        ("lock_renew", RENEW, 1, &["a", "1"], format!("ARGV[3] (ttl_ms): {integer} nothing")),
        ("lock_renew", RENEW, 1, &["a", "1", "-1"], format!("ARGV[3] (ttl_ms): {integer} -1")),
        ("lock_renew", RENEW, 1, &["a", "1", "1", "x"], "expected 3 arguments, found 4".to_owned()),
        ("lock_renew", RENEW, 2, &["a", "1", "1"], "expected 1 key, found 2".to_owned()),
        ("lock_release", RELEASE, 1, &[], "ARGV[1] (owner): expected 1 byte or more, found nothing".to_owned()),
        ("lock_release", RELEASE, 1, &["a", "x"], format!("ARGV[2] (token): {integer} x")),
        ("lock_release", RELEASE, 1, &["a", "1", "x"], "expected 2 arguments, found 3".to_owned()),
        ("lock_release", RELEASE, 0, &["a", "1"], "expected 1 key, found 0".to_owned()),
        ("fenced_write", WRITE, 3, &[], format!("ARGV[1] (token): {integer} nothing")),
        ("fenced_write", WRITE, 3, &["-1", "v", "keep"], format!("ARGV[1] (token): {integer} -1")),
        ("fenced_write", WRITE, 3, &["1"], "ARGV[2] (new): expected a string, found nothing".to_owned()),
        ("fenced_write", WRITE, 3, &["1", "v"], format!("ARGV[3] (expiry): {expiry} nothing")),
        ("fenced_write", WRITE, 3, &["1", "v", "0"], format!("ARGV[3] (expiry): {expiry} 0")),
        ("fenced_write", WRITE, 3, &["1", "v", "1s"], format!("ARGV[3] (expiry): {expiry} 1s")),
        ("fenced_write", WRITE, 3, &["1", "v", "1", "x"], "expected 3 arguments, found 4".to_owned()),
        ("fenced_write", WRITE, 2, &["1", "v", "1"], "expected 3 keys, found 2".to_owned()),
    ] {
        let count = keys.to_string();
        let mut call = vec!["EVAL", script, &count];
        let all = if script == WRITE { [VALUE, NEWEST, FENCE] } else { [LOCK, FENCE, VALUE] };
        call.extend(&all[..keys]);
        call.extend(arguments);
        let error = scripts.server.try_run::<redis::Value>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("{name}.lua: {message}")), "{arguments:?}: {error}");
    }
    assert_eq!(scripts.server.dump(), before);
}
