//! The lock and compare-and-swap on every node.

use std::time::Duration;

use sluicegate::limit::Subject;
use sluicegate::redis::HttpTransport;
use sluicegate::redis::cas::{self, Expiry, Outcome};
use sluicegate::redis::lock::{Attempt, Guard, Lease, Lock, Release, Renewal, Runtime, Write};
use sluicegate::redis::script::Dialect;
use sluicegate::time::Millis;
use sluicegate_bridge::RedisCluster;
use tokio::time::{Instant, sleep};

use crate::{RunningBridge, one_name_per_node, start};

/// A runtime with real time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Runtime for Clock {
    async fn sleep(&self, duration: Millis) {
        sleep(Duration::from(duration)).await;
    }

    fn now(&self) -> Millis {
        Millis::new(self.0.elapsed().as_millis().try_into().unwrap())
    }

    fn random(&self) -> u64 {
        0
    }
}

/// Returns a lock with a lease of ten minutes.
pub(crate) fn lock(bridge: &RunningBridge, dialect: Dialect, name: &str) -> Lock<HttpTransport, Clock> {
    let lease = Lease::new(Millis::from_secs(600)).unwrap();
    Lock::new(bridge.transport.clone(), Clock(Instant::now()), dialect, name, lease)
}

/// Acquires the lock in one attempt, which must succeed.
pub(crate) async fn take<'a>(lock: &'a Lock<HttpTransport, Clock>, owner: &str) -> Guard<'a, HttpTransport, Clock> {
    match lock.try_acquire(owner).await.unwrap() {
        Attempt::Acquired(guard) => guard,
        Attempt::Busy { free_in } => panic!("{owner}: the lock is busy, free in {free_in:?}"),
    }
}

/// Returns the name of one lock for each node.
pub(crate) async fn locks(cluster: &RedisCluster) -> [String; 3] {
    let key = |name: &str| Subject::named(&format!("lock:{name}")).state_key();
    one_name_per_node(cluster, |number| format!("job {number}"), key).await
}

#[tokio::test]
async fn a_lock_works_on_every_node() {
    let (bridge, cluster) = start().await;
    for (name, dialect) in locks(&cluster).await.iter().zip([Dialect::Plain, Dialect::KeyLocking, Dialect::Plain]) {
        let lock = lock(&bridge, dialect, name);
        let first = take(&lock, "a").await;
        assert!(matches!(lock.try_acquire("b").await.unwrap(), Attempt::Busy { free_in: Some(_) }));
        assert_eq!(first.renew().await.unwrap(), Renewal::Renewed);
        assert_eq!(first.write("page", "one", Expiry::Never).await.unwrap(), Write::Written);
        let late = first.token();
        assert_eq!(first.release().await.unwrap(), Release::Released);
        assert_eq!(first.release().await.unwrap(), Release::NotHeld);

        let second = take(&lock, "b").await;
        assert!(late < second.token());
        let write = lock.write(late, "page", "two", Expiry::Never).await.unwrap();
        assert_eq!(write, Write::Stale { newest: second.token() });
        assert_eq!(lock.read("page").await.unwrap().as_deref(), Some("one"));
        assert_eq!(second.write("page", "three", Expiry::Keep).await.unwrap(), Write::Written);
        assert_eq!(lock.read("page").await.unwrap().as_deref(), Some("three"));
    }
}

#[tokio::test]
async fn a_value_is_swapped_on_every_node() {
    let (bridge, cluster) = start().await;
    let transport = &bridge.transport;
    let keys = one_name_per_node(&cluster, |number| format!("sg:1:{{flag:{number}}}"), str::to_owned).await;
    for (key, dialect) in keys.iter().zip([Dialect::KeyLocking, Dialect::Plain, Dialect::KeyLocking]) {
        let found = |value: &str| Outcome::Conflict { found: Some(value.to_owned()) };
        let create = async |new| cas::create(transport, dialect, key, new, Expiry::Never).await.unwrap();
        let replace = async |old, new| cas::replace(transport, dialect, key, old, new, Expiry::Keep).await.unwrap();
        assert_eq!(create("on").await, Outcome::Swapped);
        assert_eq!(create("off").await, found("on"));
        assert_eq!(replace("off", "on").await, found("on"));
        assert_eq!(replace("on", "off").await, Outcome::Swapped);
        assert_eq!(cas::delete(transport, dialect, key, "on").await.unwrap(), found("off"));
        assert_eq!(cas::delete(transport, dialect, key, "off").await.unwrap(), Outcome::Swapped);
    }
}
