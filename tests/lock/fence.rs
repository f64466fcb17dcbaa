//! Fencing tokens: a holder that has lost its lock cannot write.

use std::time::Duration;

use sluicegate::redis::RedisError;
use sluicegate::redis::cas::Expiry;
use sluicegate::redis::lock::{Attempt, FencingToken, Write};
use tokio::time::Instant;

use crate::faulty_transport::FaultyTransport;
use crate::runtime::{ManualRuntime, RealRuntime};
use crate::server::Server;
use crate::{LOCK, lock, take};

#[tokio::test]
async fn a_paused_holders_late_write_is_refused() {
    let server = Server::start().await;
    let (transport, runtime) = (FaultyTransport::new(server.transport()), RealRuntime::new());
    let paused = lock(transport.clone(), runtime.clone(), 1000);
    let lock = lock(server.transport(), runtime, 1000);

    let late = take(&paused, "late").await;
    assert_eq!(late.write("page", "first", Expiry::Never).await.unwrap(), Write::Written);
    transport.hold_requests(true);
    // The holder checks its lease, finds it valid, and is paused between the check and the write.
    let write = async {
        assert!(!late.is_lost());
        late.write("page", "stale", Expiry::Never).await.unwrap()
    };
    let meanwhile = async {
        transport.held().await;
        let deadline = Instant::now() + Duration::from_secs(20);
        let next = loop {
            match lock.try_acquire("next").await.unwrap() {
                Attempt::Acquired(guard) => break guard,
                Attempt::Busy { .. } => assert!(Instant::now() < deadline, "the lease has not ended"),
            }
        };
        assert!(late.is_lost(), "the guard reports the loss");
        assert_eq!(next.write("page", "second", Expiry::Never).await.unwrap(), Write::Written);
        transport.resume();
        next.token()
    };
    let (write, newest) = tokio::join!(write, meanwhile);
    assert_eq!(write, Write::Stale { newest });
    assert_eq!(lock.read("page").await.unwrap().unwrap(), "second");
}

#[tokio::test]
async fn a_stale_write_is_refused_once_another_may_read() {
    let mut server = Server::start().await;
    let lock = lock(server.transport(), ManualRuntime::stopped(), 60_000);
    let first = take(&lock, "a").await;
    assert_eq!(first.write("n", "1", Expiry::Never).await.unwrap(), Write::Written);
    server.run::<i64>(&["DEL", LOCK]);
    assert_eq!(first.write("n", "2", Expiry::Never).await.unwrap(), Write::Written, "no newer token was issued");
    let second = take(&lock, "b").await;
    assert_eq!(lock.read("n").await.unwrap().unwrap(), "2");
    for name in ["n", "never written"] {
        let stale = Write::Stale { newest: second.token() };
        assert_eq!(first.write(name, "3", Expiry::Never).await.unwrap(), stale);
    }
    assert_eq!(second.write("n", "3", Expiry::Keep).await.unwrap(), Write::Written);
    assert_eq!(second.write("n", "4", Expiry::Keep).await.unwrap(), Write::Written, "the holder may write repeatedly");
    assert_eq!(lock.read("n").await.unwrap().unwrap(), "4");
    assert_eq!(lock.read("never written").await.unwrap(), None);
}

#[tokio::test]
async fn a_released_holder_is_stale() {
    let server = Server::start().await;
    let lock = lock(server.transport(), ManualRuntime::stopped(), 60_000);
    let first = take(&lock, "a").await;
    first.release().await.unwrap();
    let second = take(&lock, "a").await;
    assert!(second.token() > first.token(), "a new token for the same owner");
    let stale = Write::Stale { newest: second.token() };
    assert_eq!(first.write("n", "x", Expiry::Never).await.unwrap(), stale);
}

#[tokio::test]
async fn a_token_may_be_passed_on() {
    let server = Server::start().await;
    let holder = lock(server.transport(), ManualRuntime::stopped(), 60_000);
    let token = take(&holder, "a").await.token().to_string();
    let elsewhere = lock(server.transport(), ManualRuntime::stopped(), 60_000);
    let token = FencingToken::new(token.parse().unwrap());
    assert_eq!(elsewhere.write(token, "n", "x", Expiry::Never).await.unwrap(), Write::Written);
    let error = elsewhere.write(FencingToken::new(0), "n", "y", Expiry::Never).await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("ARGV[1] (token)")), "{error}");
    assert_eq!(holder.read("n").await.unwrap().unwrap(), "x");
}
