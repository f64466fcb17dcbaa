//! The guard: renewal, release, and how it detects the loss of the lock.

use sluicegate::redis::RedisError;
use sluicegate::redis::lock::{Loss, Release, Renewal};
use sluicegate::time::Millis;

use crate::faulty_transport::FaultyTransport;
use crate::runtime::ManualRuntime;
use crate::server::Server;
use crate::{LOCK, expect_busy, lock, take};

#[tokio::test]
async fn the_lease_starts_before_the_request_is_sent() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), 60_000);
    drop(take(&lock, "a").await);
    transport.hold_replies(true);
    let slow = async {
        transport.held().await;
        clock.advance(10_000);
        transport.resume();
    };
    let (guard, ()) = tokio::join!(take(&lock, "a"), slow);
    assert_eq!(guard.remaining(), Millis::new(60_000 - 602 - 10_000));

    transport.hold_replies(false);
    assert_eq!(guard.renew().await.unwrap(), Renewal::Renewed);
    assert_eq!(guard.remaining(), Millis::new(60_000 - 602));
    clock.advance(5000);
    transport.hold_replies(true);
    let slow = async {
        transport.held().await;
        clock.advance(10_000);
        transport.resume();
    };
    let (renewal, ()) = tokio::join!(guard.renew(), slow);
    assert_eq!(renewal.unwrap(), Renewal::Renewed);
    assert_eq!(guard.remaining(), Millis::new(60_000 - 602 - 10_000), "a renewed lease starts then too");
}

#[tokio::test]
async fn an_expired_lease_is_lost_for_good() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), 60_000);
    let guard = take(&lock, "a").await;
    clock.advance(60_000 - 602 - 1);
    assert_eq!((guard.remaining(), guard.is_lost()), (Millis::new(1), false));
    clock.advance(1);
    assert_eq!((guard.remaining(), guard.is_lost()), (Millis::ZERO, true));
    clock.set_back(30_000);
    assert!(guard.is_lost(), "a clock that moves back does not restore the lease");
    let posts = transport.posts();
    assert_eq!(guard.renew().await.unwrap(), Renewal::Lost(Loss::Ended { cause: None }));
    assert_eq!(transport.posts(), posts, "a lost lock is not renewed in Redis");
    expect_busy(&lock, "b").await;
    assert_eq!(guard.release().await.unwrap(), Release::Released, "Redis keeps the lock for the safety margin");
    assert_eq!(guard.loss(), Some(Loss::Ended { cause: None }), "the first loss stays");
}

#[tokio::test]
async fn a_late_renewal_does_not_restore_the_lock() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), 60_000);
    let guard = take(&lock, "a").await;
    assert_eq!(guard.renew().await.unwrap(), Renewal::Renewed);
    clock.advance(50_000);
    transport.hold_replies(true);
    let late = async {
        transport.held().await;
        clock.advance(20_000);
        transport.resume();
    };
    let (renewal, ()) = tokio::join!(guard.renew(), late);
    assert_eq!(renewal.unwrap(), Renewal::Lost(Loss::Ended { cause: None }));
    assert!(guard.is_lost());
}

#[tokio::test]
async fn a_renewal_without_a_reply_keeps_the_old_lease() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), 60_000);
    let guard = take(&lock, "a").await;
    assert_eq!(guard.renew().await.unwrap(), Renewal::Renewed);
    clock.advance(10_000);
    let remaining = guard.remaining();
    transport.lose_replies(true);
    assert_eq!(guard.renew().await, Err(RedisError::Timeout));
    assert_eq!(guard.remaining(), remaining);
    transport.lose_replies(false);
    assert_eq!(guard.renew().await, Ok(Renewal::Renewed));
    assert_eq!(guard.remaining(), Millis::new(60_000 - 602));
}

#[tokio::test]
async fn a_lock_missing_in_redis_is_lost() {
    let mut server = Server::start().await;
    let lock = lock(server.transport(), ManualRuntime::stopped(), 60_000);
    let guard = take(&lock, "a").await;
    server.run::<i64>(&["DEL", LOCK]);
    assert_eq!(guard.renew().await.unwrap(), Renewal::Lost(Loss::Refused));
    assert_eq!((guard.is_lost(), guard.loss()), (true, Some(Loss::Refused)));

    let guard = take(&lock, "a").await;
    let newer = take(&lock, "a").await;
    assert_eq!(guard.renew().await.unwrap(), Renewal::Lost(Loss::Refused), "the owner has acquired again");
    assert_eq!(guard.release().await.unwrap(), Release::NotHeld);
    assert_eq!(newer.renew().await.unwrap(), Renewal::Renewed);
}

#[tokio::test]
async fn releasing_again_is_harmless() {
    let server = Server::start().await;
    let transport = FaultyTransport::new(server.transport());
    let lock = lock(transport.clone(), ManualRuntime::stopped(), 60_000);
    let guard = take(&lock, "a").await;
    assert_eq!(guard.release().await.unwrap(), Release::Released);
    assert_eq!((guard.remaining(), guard.loss()), (Millis::ZERO, Some(Loss::Released)));
    assert_eq!(guard.release().await.unwrap(), Release::NotHeld);
    assert_eq!(guard.renew().await.unwrap(), Renewal::Lost(Loss::Released));

    let next = take(&lock, "b").await;
    transport.lose_replies(true);
    assert_eq!(next.release().await, Err(RedisError::Timeout));
    assert!(next.is_lost(), "the release may have been executed");
    transport.lose_replies(false);
    let third = take(&lock, "c").await;
    for late in [&guard, &next] {
        assert_eq!(late.release().await.unwrap(), Release::NotHeld);
    }
    assert_eq!(third.renew().await.unwrap(), Renewal::Renewed);
    expect_busy(&lock, "a").await;
}
