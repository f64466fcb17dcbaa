//! Compare-and-swap against a real redis-server, through the real bridge.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../support/cases.rs"]
mod cases;
mod sequences;
#[path = "../lock/server.rs"]
mod server;

use std::sync::Arc;

use server::Server;
use sluicegate::redis::RedisError;
use sluicegate::redis::cas::{self, Expiry, Outcome};
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;
use tokio::sync::Barrier;

const DIALECT: Dialect = Dialect::Plain;
const KEY: &str = "sg:1:{flag:beta}";

fn found(value: &str) -> Outcome {
    Outcome::Conflict { found: Some(value.to_owned()) }
}

const NOTHING: Outcome = Outcome::Conflict { found: None };

#[tokio::test]
async fn a_value_is_created_replaced_and_deleted_in_both_dialects() {
    let mut server = Server::start().await;
    let transport = server.transport();
    for dialect in [Dialect::Plain, Dialect::KeyLocking] {
        let create = async |new| cas::create(&transport, dialect, KEY, new, Expiry::Never).await.unwrap();
        let replace = async |old, new| cas::replace(&transport, dialect, KEY, old, new, Expiry::Keep).await.unwrap();
        let delete = async |old| cas::delete(&transport, dialect, KEY, old).await.unwrap();

        assert_eq!(replace("", "a").await, NOTHING, "a missing value differs from an empty string");
        assert_eq!(delete("").await, NOTHING);
        assert_eq!(create("a").await, Outcome::Swapped);
        assert_eq!(create("b").await, found("a"));
        assert_eq!(create("a").await, found("a"), "creation fails even if the value is the same");
        assert_eq!(replace("b", "c").await, found("a"));
        assert_eq!(replace("a", "").await, Outcome::Swapped);
        assert_eq!(create("b").await, found(""), "an empty string is a value");
        assert_eq!(delete("a").await, found(""));
        assert_eq!(replace("", "42").await, Outcome::Swapped);
        assert_eq!(delete("42.0").await, found("42"), "numbers are compared as text");
        assert_eq!(delete("42").await, Outcome::Swapped);
        assert_eq!(delete("42").await, NOTHING);
        assert!(server.dump().is_empty());
    }
}

#[tokio::test]
async fn expiry_is_kept_set_or_removed() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let replace = async |old, new, expiry| cas::replace(&transport, DIALECT, KEY, old, new, expiry).await.unwrap();
    let one_hour = Expiry::After(Millis::from_secs(3600));
    let mut assert_ttl = |ttl: i64| {
        let found: i64 = server.run(&["PTTL", KEY]);
        assert!(ttl - 10_000 < found && found <= ttl, "{found} of {ttl}");
    };

    assert_eq!(cas::create(&transport, DIALECT, KEY, "a", one_hour).await.unwrap(), Outcome::Swapped);
    assert_ttl(3_600_000);
    assert_eq!(replace("a", "b", Expiry::After(Millis::from_secs(60))).await, Outcome::Swapped);
    assert_ttl(60_000);
    assert_eq!(replace("b", "a", Expiry::Keep).await, Outcome::Swapped);
    assert_ttl(60_000);
    assert_eq!(replace("x", "y", Expiry::Never).await, found("a"));
    assert_eq!(replace("x", "y", one_hour).await, found("a"));
    assert_ttl(60_000);
    assert_eq!(cas::create(&transport, DIALECT, KEY, "z", one_hour).await.unwrap(), found("a"));
    assert_ttl(60_000);
    assert_eq!(replace("a", "b", Expiry::Keep).await, Outcome::Swapped);
    assert_eq!(replace("b", "c", Expiry::Never).await, Outcome::Swapped);
    assert_eq!(server.run::<i64>(&["PTTL", KEY]), -1);
    assert_eq!(replace("c", "d", Expiry::Keep).await, Outcome::Swapped);
    assert_eq!(server.run::<i64>(&["PTTL", KEY]), -1, "the value had no expiry to keep");
    assert_eq!(replace("d", "e", one_hour).await, Outcome::Swapped);
    assert!(server.run::<i64>(&["PTTL", KEY]) > 3_590_000);

    assert_eq!(replace("e", "f", Expiry::After(Millis::new(1))).await, Outcome::Swapped);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while cas::create(&transport, DIALECT, KEY, "g", Expiry::Keep).await.unwrap() != Outcome::Swapped {
        assert!(tokio::time::Instant::now() < deadline, "the value has not expired");
    }
    assert_eq!(server.run::<i64>(&["PTTL", KEY]), -1, "an expired value leaves no expiry to keep");
}

#[tokio::test]
async fn any_text_round_trips() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let texts = ["\0", "a\0b", "\r\n", "\"\\", "é\u{1f512}\u{fffd}", "OK", "null", "%s%d", &"x".repeat(100_000)];
    for text in texts {
        assert_eq!(cas::create(&transport, DIALECT, KEY, text, Expiry::Never).await.unwrap(), Outcome::Swapped);
        assert_eq!(server.run::<Vec<u8>>(&["GET", KEY]), text.as_bytes());
        let other = format!("{text}\0");
        assert_eq!(cas::delete(&transport, DIALECT, KEY, &other).await.unwrap(), found(text));
        assert_eq!(cas::delete(&transport, DIALECT, KEY, text).await.unwrap(), Outcome::Swapped, "{text:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf8_stay_intact_in_redis() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let bytes: &[u8] = b"\xff\x00\xfe\r\n";
    let script = include_bytes!("../../lua/cas.lua");
    let (swapped, _): (u8, Option<Vec<u8>>) =
        server.run_bytes(&[b"EVAL", script, b"1", KEY.as_bytes(), b"create", b"", bytes, b"never"]);
    assert_eq!(swapped, 1);
    let lossy = "\u{fffd}\0\u{fffd}\r\n";
    assert_eq!(cas::delete(&transport, DIALECT, KEY, "x").await.unwrap(), found(lossy));
    assert_eq!(
        cas::delete(&transport, DIALECT, KEY, lossy).await.unwrap(),
        found(lossy),
        "the replacement text is not the stored value"
    );
    let reply: (u8, Option<Vec<u8>>) =
        server.run_bytes(&[b"EVAL", script, b"1", KEY.as_bytes(), b"replace", b"\xff", b"x", b"never"]);
    assert_eq!(reply, (0, Some(bytes.to_vec())));
    let reply: (u8, Option<Vec<u8>>) =
        server.run_bytes(&[b"EVAL", script, b"1", KEY.as_bytes(), b"delete", bytes, b"", b""]);
    assert_eq!(reply, (1, None));
}

#[tokio::test]
async fn wrong_arguments_are_named_and_change_nothing() {
    let mut server = Server::start().await;
    server.run::<()>(&["SET", KEY, "a", "PX", "3600000"]);
    let before = server.dump();
    for (arguments, message) in [
        (&[][..], "ARGV[1] (operation): expected create, replace or delete, found nothing"),
        (&["swap", "a", "b", "keep"], "ARGV[1] (operation): expected create, replace or delete, found swap"),
        (&["replace"], "ARGV[2] (expected): expected a string, found nothing"),
        (&["create", "a", "b", "keep"], "ARGV[2] (expected): expected an empty string, found a"),
        (&["replace", "a"], "ARGV[3] (new): expected a string, found nothing"),
        (&["delete", "a", "b", ""], "ARGV[3] (new): expected an empty string, found b"),
        (&["replace", "a", "b"], "ARGV[4] (expiry): expected keep, never or an integer from 1, found nothing"),
        (&["replace", "a", "b", ""], "ARGV[4] (expiry): expected keep, never or an integer from 1, found "),
        (&["replace", "a", "b", "0"], "ARGV[4] (expiry): expected keep, never or an integer from 1, found 0"),
        (&["replace", "a", "b", "-1"], "ARGV[4] (expiry): expected keep, never or an integer from 1, found -1"),
        (&["replace", "a", "b", "1.5"], "ARGV[4] (expiry): expected keep, never or an integer from 1, found 1.5"),
        (&["replace", "a", "b", "1e3"], "ARGV[4] (expiry): expected keep, never or an integer from 1, found 1e3"),
        (
            &["replace", "a", "b", "9007199254740992"],
            "ARGV[4] (expiry): expected keep, never or an integer from 1, found 9007199254740992",
        ),
        (&["delete", "a", "", "keep"], "ARGV[4] (expiry): expected an empty string, found keep"),
        (&["delete", "a", ""], "ARGV[4] (expiry): expected an empty string, found nothing"),
        (&["replace", "a", "b", "keep", "x"], "expected 4 arguments, found 5"),
    ] {
        let mut call = vec!["EVAL", include_str!("../../lua/cas.lua"), "1", KEY];
        call.extend(arguments);
        let error = server.try_run::<redis::Value>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("cas.lua: {message}")), "{arguments:?}: {error}");
    }
    for keys in ["0", "2"] {
        let call = ["EVAL", include_str!("../../lua/cas.lua"), keys, "delete", "a", "", ""];
        let error = server.try_run::<redis::Value>(&call).unwrap_err().to_string();
        assert!(error.contains(&format!("cas.lua: expected 1 key, found {keys}")), "{error}");
    }
    assert_eq!(server.dump(), before);
}

#[tokio::test]
async fn a_command_error_changes_nothing() {
    let mut server = Server::start().await;
    let transport = server.transport();
    server.run::<()>(&["RPUSH", KEY, "a"]);
    let before = server.dump();
    let error = cas::replace(&transport, DIALECT, KEY, "a", "b", Expiry::Keep).await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("WRONGTYPE")), "{error}");
    let error = cas::create(&transport, DIALECT, "k", "b", Expiry::After(Millis::ZERO)).await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("ARGV[4] (expiry)")), "{error}");
    assert_eq!(server.dump(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_writer_wins_each_round() {
    const WRITERS: usize = 50;
    let rounds: usize = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    let mut server = Server::start().await;
    let barrier = Arc::new(Barrier::new(WRITERS));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (transport, barrier) = (server.transport(), barrier.clone());
            tokio::spawn(async move {
                // For each round: whether this writer won, and the value after the round.
                let (mut history, mut value) = (Vec::new(), None::<String>);
                for round in 0..rounds {
                    barrier.wait().await;
                    let own = format!("{round} by {writer}");
                    let outcome = match &value {
                        None => cas::create(&transport, DIALECT, KEY, &own, Expiry::Never).await,
                        Some(old) => cas::replace(&transport, DIALECT, KEY, old, &own, Expiry::Never).await,
                    };
                    let (won, now) = match outcome.unwrap() {
                        Outcome::Swapped => (true, Some(own)),
                        Outcome::Conflict { found } => (false, found),
                    };
                    history.push((won, now.clone()));
                    value = now;
                }
                history
            })
        })
        .collect();
    let mut histories = Vec::new();
    for writer in writers {
        histories.push(writer.await.unwrap());
    }
    for round in 0..rounds {
        let winners: Vec<_> = (0..WRITERS).filter(|writer| histories[*writer][round].0).collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let value = Some(format!("{round} by {}", winners[0]));
        assert!(
            histories.iter().all(|history| history[round].1 == value),
            "round {round}: every writer sees the winner's value"
        );
    }
    assert_eq!(server.run::<Option<String>>(&["GET", KEY]), histories[0].last().unwrap().1);
}
