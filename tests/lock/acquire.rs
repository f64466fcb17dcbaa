//! Acquisition: who gets the lock, how long others wait, and what a lost reply means.

use sluicegate::redis::RedisError;
use sluicegate::redis::lock::{Attempt, Lease, Lock, Release, Renewal};
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;

use crate::faulty_transport::FaultyTransport;
use crate::runtime::{ManualRuntime, RealRuntime};
use crate::server::Server;
use crate::{FENCE, LOCK, expect_busy, lock, take};

#[tokio::test]
async fn one_owner_holds_it_and_others_learn_for_how_long() {
    let server = Server::start().await;
    let lease = Lease::new(Millis::from_secs(600)).unwrap();
    for (i, dialect) in (1..).zip([Dialect::Plain, Dialect::KeyLocking]) {
        let lock = Lock::new(server.transport(), ManualRuntime::stopped(), dialect, "job", lease);
        let guard = take(&lock, "a").await;
        assert_eq!(guard.token().get(), i);
        assert_eq!(guard.remaining(), Millis::new(600_000 - 6002));
        let free_in = expect_busy(&lock, "b").await.unwrap();
        assert!(Millis::from_secs(590) < free_in && free_in <= Millis::from_secs(600), "{free_in}");
        assert_eq!(guard.renew().await.unwrap(), Renewal::Renewed);
        assert_eq!(guard.release().await.unwrap(), Release::Released);
    }
}

#[tokio::test]
async fn locks_of_different_names_are_independent() {
    let server = Server::start().await;
    let lease = Lease::new(Millis::from_secs(600)).unwrap();
    for name in ["job", "job:fence", "{job}", "", "jöb\n"] {
        let lock = Lock::new(server.transport(), ManualRuntime::stopped(), Dialect::Plain, name, lease);
        assert_eq!(take(&lock, "a").await.token().get(), 1, "{name}");
        expect_busy(&lock, "b").await;
    }
}

#[tokio::test]
async fn waiting_backs_off_with_jitter_until_patience_ends() {
    let server = Server::start().await;
    let transport = FaultyTransport::new(server.transport());
    let clock = ManualRuntime::auto_advancing();
    let lock = lock(transport.clone(), clock.clone(), 3_600_000);
    let _guard = take(&lock, "a").await;
    let posts = transport.posts();

    let outcome = lock.acquire("b", Millis::from_secs(20)).await.unwrap();
    assert!(matches!(outcome, Attempt::Busy { free_in: Some(_) }));
    let slept = clock.slept();
    assert_eq!(slept.iter().sum::<u64>(), 20_000, "waits for exactly its patience");
    assert_eq!(transport.posts() - posts, slept.len() + 1, "one attempt before each pause and one at the end");
    for (attempt, ceiling) in [16, 32, 64, 128, 256, 512, 1000, 1000, 1000].into_iter().enumerate() {
        assert!((1..=ceiling).contains(&slept[attempt]), "{attempt}: {}", slept[attempt]);
    }
    assert!(slept.iter().skip(6).any(|pause| *pause > 500) && slept.iter().skip(6).any(|pause| *pause < 500));

    let (before, posts) = (clock.slept().len(), transport.posts());
    assert!(matches!(lock.acquire("b", Millis::ZERO).await.unwrap(), Attempt::Busy { .. }));
    assert_eq!((clock.slept().len() - before, transport.posts() - posts), (0, 1), "no patience: one attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_acquires_after_a_release() {
    let server = Server::start().await;
    let runtime = RealRuntime::new();
    let held = lock(server.transport(), runtime.clone(), 600_000);
    let guard = take(&held, "a").await;
    let transport = FaultyTransport::new(server.transport());
    let waiting = tokio::spawn({
        let (transport, runtime) = (transport.clone(), runtime.clone());
        async move {
            let lock = lock(transport, runtime, 600_000);
            match lock.acquire("b", Millis::from_secs(60)).await.unwrap() {
                Attempt::Acquired(guard) => guard.token(),
                Attempt::Busy { .. } => panic!("the lock was released"),
            }
        }
    });
    while transport.posts() < 2 {
        tokio::task::yield_now().await;
    }
    guard.release().await.unwrap();
    assert!(waiting.await.unwrap() > guard.token());
}

#[tokio::test]
async fn a_waiter_acquires_after_a_dead_holders_lease() {
    let server = Server::start().await;
    let lock = lock(server.transport(), RealRuntime::new(), 600);
    let guard = take(&lock, "a").await;
    let Attempt::Acquired(next) = lock.acquire("b", Millis::from_secs(30)).await.unwrap() else {
        panic!("the lease has not ended")
    };
    assert!(guard.is_lost() && !next.is_lost() && guard.token() < next.token());
}

#[tokio::test]
async fn an_owner_that_lost_a_reply_may_acquire_again() {
    let mut server = Server::start().await;
    let transport = FaultyTransport::new(server.transport());
    let lock = lock(transport.clone(), ManualRuntime::stopped(), 600_000);
    take(&lock, "b").await.release().await.unwrap();
    let posts = transport.posts();
    transport.lose_replies(true);
    assert_eq!(lock.try_acquire("a").await.unwrap_err(), RedisError::Timeout);
    assert_eq!(server.run::<String>(&["GET", LOCK]), "2:a", "Redis granted the lock");
    assert_eq!(lock.acquire("a", Millis::from_secs(60)).await.unwrap_err(), RedisError::Timeout);
    assert_eq!(transport.posts() - posts, 2, "no automatic retry");
    transport.lose_replies(false);
    expect_busy(&lock, "b").await;
    let guard = take(&lock, "a").await;
    assert_eq!(guard.token().get(), 4);
    assert_eq!(guard.renew().await.unwrap(), Renewal::Renewed);
    expect_busy(&lock, "b").await;
}

#[tokio::test]
async fn a_reply_later_than_the_lease_is_no_acquisition() {
    let mut server = Server::start().await;
    let (transport, clock) = (FaultyTransport::new(server.transport()), ManualRuntime::stopped());
    let lock = lock(transport.clone(), clock.clone(), 60_000);
    drop(take(&lock, "a").await);
    transport.hold_replies(true);
    let late = async {
        transport.held().await;
        clock.advance(60_000);
        transport.resume();
    };
    let (free_in, ()) = tokio::join!(expect_busy(&lock, "a"), late);
    assert_eq!(free_in, Some(Millis::ZERO), "the owner may try again at once");
    assert_eq!(server.run::<String>(&["GET", LOCK]), "2:a", "Redis granted the lock");
}

#[tokio::test]
async fn a_lock_without_expiry_is_reported() {
    let mut server = Server::start().await;
    let lock = lock(server.transport(), ManualRuntime::auto_advancing(), 60_000);
    drop(take(&lock, "a").await);
    server.run::<i64>(&["PERSIST", LOCK]);
    assert_eq!(expect_busy(&lock, "b").await, None);
    assert!(matches!(lock.acquire("b", Millis::from_secs(3)).await.unwrap(), Attempt::Busy { free_in: None }));
}

#[tokio::test]
async fn a_command_error_is_reported() {
    let mut server = Server::start().await;
    let lock = lock(server.transport(), ManualRuntime::stopped(), 60_000);
    let error = lock.try_acquire("").await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("ARGV[1] (owner)")), "{error}");
    server.run::<i64>(&["RPUSH", LOCK, "x"]);
    let error = lock.try_acquire("a").await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("WRONGTYPE")), "{error}");
    assert_eq!(server.run::<Option<u64>>(&["GET", FENCE]), None);
}
