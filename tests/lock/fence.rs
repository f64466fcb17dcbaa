//! The fence: what a holder that has lost its lock can still write, which is nothing.

use std::time::Duration;

use sluicegate::redis::RedisError;
use sluicegate::redis::cas::Expiry;
use sluicegate::redis::lock::{Attempt, FencingToken, Write};
use tokio::time::Instant;

use crate::runtime::{Manual, Real};
use crate::server::Server;
use crate::wire::Wire;
use crate::{LOCK, lock, take};

#[tokio::test]
async fn a_paused_holders_late_write_is_refused() {
    let server = Server::start().await;
    let (wire, runtime) = (Wire::new(server.transport()), Real::new());
    let paused = lock(wire.clone(), runtime.clone(), 1000);
    let lock = lock(server.transport(), runtime, 1000);

    let sleeper = take(&paused, "sleeper").await;
    assert_eq!(sleeper.write("page", "first", Expiry::Never).await.unwrap(), Write::Written);
    wire.hold_requests(true);
    // It looks at its lease, finds it good, and is stopped between that and its write.
    let write = async {
        assert!(!sleeper.is_lost());
        sleeper.write("page", "stale", Expiry::Never).await.unwrap()
    };
    let meanwhile = async {
        wire.held().await;
        let deadline = Instant::now() + Duration::from_secs(20);
        let next = loop {
            match lock.try_acquire("next").await.unwrap() {
                Attempt::Acquired(guard) => break guard,
                Attempt::Busy { .. } => assert!(Instant::now() < deadline, "the lease does not end"),
            }
        };
        assert!(sleeper.is_lost(), "it would know, if it looked");
        assert_eq!(next.write("page", "second", Expiry::Never).await.unwrap(), Write::Written);
        wire.go_on();
        next.token()
    };
    let (write, newest) = tokio::join!(write, meanwhile);
    assert_eq!(write, Write::Stale { newest });
    assert_eq!(lock.read("page").await.unwrap().unwrap(), "second");
}

#[tokio::test]
async fn a_stale_write_is_refused_once_another_may_read() {
    let mut server = Server::start().await;
    let lock = lock(server.transport(), Manual::still(), 60_000);
    let first = take(&lock, "a").await;
    assert_eq!(first.write("n", "1", Expiry::Never).await.unwrap(), Write::Written);
    server.run::<i64>(&["DEL", LOCK]);
    assert_eq!(first.write("n", "2", Expiry::Never).await.unwrap(), Write::Written, "nobody has come since");
    let second = take(&lock, "b").await;
    assert_eq!(lock.read("n").await.unwrap().unwrap(), "2");
    for name in ["n", "never written"] {
        let stale = Write::Stale { newest: second.token() };
        assert_eq!(first.write(name, "3", Expiry::Never).await.unwrap(), stale);
    }
    assert_eq!(second.write("n", "3", Expiry::Keep).await.unwrap(), Write::Written);
    assert_eq!(second.write("n", "4", Expiry::Keep).await.unwrap(), Write::Written, "as often as it likes");
    assert_eq!(lock.read("n").await.unwrap().unwrap(), "4");
    assert_eq!(lock.read("never written").await.unwrap(), None);
}

#[tokio::test]
async fn a_released_holder_is_stale() {
    let server = Server::start().await;
    let lock = lock(server.transport(), Manual::still(), 60_000);
    let first = take(&lock, "a").await;
    first.release().await.unwrap();
    let again = take(&lock, "a").await;
    assert!(again.token() > first.token(), "the same owner as well");
    let stale = Write::Stale { newest: again.token() };
    assert_eq!(first.write("n", "x", Expiry::Never).await.unwrap(), stale);
}

#[tokio::test]
async fn a_token_may_be_passed_on() {
    let server = Server::start().await;
    let holder = lock(server.transport(), Manual::still(), 60_000);
    let token = take(&holder, "a").await.token().to_string();
    let elsewhere = lock(server.transport(), Manual::still(), 60_000);
    let token = FencingToken::new(token.parse().unwrap());
    assert_eq!(elsewhere.write(token, "n", "x", Expiry::Never).await.unwrap(), Write::Written);
    let error = elsewhere.write(FencingToken::new(0), "n", "y", Expiry::Never).await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("ARGV[1] (token)")), "{error}");
    assert_eq!(holder.read("n").await.unwrap().unwrap(), "x");
}
