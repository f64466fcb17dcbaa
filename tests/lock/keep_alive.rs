//! Keeping a lock alive while its holder works, by `Guard::keep_alive`.

use std::pin::{Pin, pin};
use std::time::Duration;

use sluicegate::redis::RedisError;
use sluicegate::redis::lock::{Attempt, Guard, Lock, Loss, Release, Renewal};
use sluicegate::time::Millis;
use tokio::time::Instant;

use crate::faulty_transport::FaultyTransport;
use crate::runtime::{ManualRuntime, RealRuntime};
use crate::server::Server;
use crate::{LOCK, expect_busy, lock, take};

const TTL: u64 = 60_000;
/// The lease less its safety margin.
const USABLE: Millis = Millis::new(TTL - 602);
const THIRD: u64 = USABLE.get() / 3;

/// Polls `alive` until the condition is true.
async fn until(mut alive: Pin<&mut impl Future<Output = Loss>>, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        tokio::select! {
            biased;
            loss = &mut alive => panic!("{loss:?}"),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
        if condition() {
            return;
        }
        assert!(Instant::now() < deadline, "the condition never became true");
    }
}

/// Acquires and renews the lock, which loads both scripts: from then on, a renewal is one request.
async fn take_and_renew(lock: &Lock<FaultyTransport, ManualRuntime>) -> Guard<'_, FaultyTransport, ManualRuntime> {
    let guard = take(lock, "a").await;
    assert_eq!(guard.renew().await.unwrap(), Renewal::Renewed);
    guard
}

#[tokio::test]
async fn renews_after_a_third_of_the_lease() {
    let mut server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), TTL);
    let guard = take_and_renew(&lock).await;
    let mut alive = pin!(guard.keep_alive());
    for renewals in 1..10 {
        let (posts, slept) = (transport.posts(), clock.slept().len());
        until(alive.as_mut(), || renewals > 1 || clock.slept().len() > slept).await;
        clock.advance(THIRD - 1);
        server.run::<i64>(&["PEXPIRE", LOCK, "30000"]);
        until(alive.as_mut(), || true).await;
        assert_eq!(transport.posts(), posts, "no renewal before a third of the lease");
        clock.advance(1);
        until(alive.as_mut(), || guard.remaining() == USABLE).await;
        assert_eq!(transport.posts(), posts + 1);
        assert!(server.run::<i64>(&["PTTL", LOCK]) > 50_000);
    }
}

#[tokio::test]
async fn retries_soon_after_a_failure() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), TTL);
    let guard = take_and_renew(&lock).await;
    let mut alive = pin!(guard.keep_alive());
    transport.lose_replies(true);
    clock.advance(THIRD);
    for failures in 1..=5 {
        // Sleeps so far: one before the first renewal, then for each failure its deadline and the pause after it.
        until(alive.as_mut(), || clock.slept().len() == 1 + 2 * failures).await;
        assert_eq!(clock.slept().last(), Some(&(USABLE.get() / 12)));
        clock.advance(USABLE.get() / 12);
        transport.lose_replies(failures < 5);
    }
    until(alive.as_mut(), || guard.remaining() == USABLE).await;
    assert!(!guard.is_lost());
}

#[tokio::test]
async fn ends_with_the_lease_if_every_renewal_fails() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), TTL);
    let guard = take_and_renew(&lock).await;
    transport.lose_replies(true);
    let time = async {
        loop {
            clock.advance(500);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        loss = guard.keep_alive() => assert_eq!(loss, Loss::Ended { cause: Some(RedisError::Timeout) }),
        () = time => {}
    }
    assert!(guard.is_lost());
    assert_eq!(guard.loss(), Some(Loss::Ended { cause: Some(RedisError::Timeout) }));
}

#[tokio::test]
async fn ends_with_the_lease_if_redis_does_not_reply() {
    let server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::auto_advancing());
    let lock = lock(transport.clone(), clock, TTL);
    let guard = take_and_renew(&lock).await;
    transport.hold_requests(true);
    assert_eq!(guard.keep_alive().await, Loss::Ended { cause: Some(RedisError::Timeout) });
    assert!(guard.is_lost());
}

#[tokio::test]
async fn reports_that_another_holds_the_lock() {
    let mut server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport, clock.clone(), TTL);
    let guard = take(&lock, "a").await;
    server.run::<i64>(&["DEL", LOCK]);
    let next = take(&lock, "b").await;
    clock.advance(THIRD);
    assert_eq!(guard.keep_alive().await, Loss::Refused);
    assert!(guard.is_lost() && guard.token() < next.token());
    assert_eq!(guard.keep_alive().await, Loss::Refused, "reported again at once");
    assert_eq!(guard.release().await.unwrap(), Release::NotHeld);
}

#[tokio::test]
async fn holds_the_lock_until_dropped() {
    let server = Server::start().await;
    let runtime = RealRuntime::new();
    let lock = lock(server.transport(), runtime.clone(), 1000);
    let guard = take(&lock, "a").await;
    let others = async {
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            expect_busy(&lock, "b").await;
        }
    };
    tokio::select! {
        loss = guard.keep_alive() => panic!("{loss:?}"),
        () = others => {}
    }
    assert!(!guard.is_lost());
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Attempt::Busy { .. } = lock.try_acquire("b").await.unwrap() {
        assert!(Instant::now() < deadline, "the lock is still renewed");
    }
    assert!(guard.is_lost(), "the guard reports the loss before another owner acquires");
}
