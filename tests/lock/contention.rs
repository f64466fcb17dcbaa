//! Many workers contend for the lock; some stop or pause while they hold it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sluicegate::redis::cas::Expiry;
use sluicegate::redis::lock::{Attempt, FencingToken, Guard, Lock, Runtime, Write};
use sluicegate::redis::{self, Command, HttpTransport};
use sluicegate::time::Millis;

use crate::lock;
use crate::runtime::RealRuntime;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_holder_rising_tokens_and_no_lost_update() {
    let server = Server::start().await;
    let (runtime, holders) = (RealRuntime::new(), Arc::new(Mutex::new(Holders::default())));
    let workers: Vec<_> = (0..WORKERS)
        .map(|id| {
            let lock = lock(server.transport(), runtime.clone(), LEASE_MS);
            tokio::spawn(Worker { id, lock, runtime: runtime.clone(), holders: holders.clone() }.work())
        })
        .collect();
    let flushes = tokio::spawn(flush_scripts(server.transport()));
    for worker in workers {
        worker.await.unwrap();
    }
    flushes.abort();
    let sum = lock(server.transport(), runtime, LEASE_MS).read("sum").await.unwrap();
    assert_eq!(sum.unwrap(), (WORKERS * (ROUNDS - 2)).to_string());
}

/// Flushes the scripts again and again, so that Redis forgets each one soon.
async fn flush_scripts(transport: HttpTransport) {
    loop {
        redis::run::<String>(&transport, Command::new("SCRIPT").text("FLUSH")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Worker {
    id: usize,
    lock: Lock<HttpTransport, RealRuntime>,
    runtime: RealRuntime,
    holders: Arc<Mutex<Holders>>,
}

impl Worker {
    /// Adds one to the sum in every round except two: in one it stops with the lock held, in the other it pauses.
    async fn work(self) {
        for round in 0..ROUNDS {
            let owner = format!("worker {} in round {round}", self.id);
            match (round + self.id) % ROUNDS {
                0 => drop(self.hold(&owner).await),
                1 => self.pause(&owner).await,
                // On a busy machine the lease may end before the write.
                _ => while !self.add_one(&owner).await {},
            }
        }
    }

    async fn hold(&self, owner: &str) -> Guard<'_, HttpTransport, RealRuntime> {
        let Attempt::Acquired(guard) = self.lock.acquire(owner, Millis::from_secs(120)).await.unwrap() else {
            panic!("{owner} did not acquire the lock");
        };
        self.holders.lock().unwrap().enter(&guard, &self.runtime);
        guard
    }

    /// Adds one to the sum, and returns whether the write succeeded.
    async fn add_one(&self, owner: &str) -> bool {
        let guard = self.hold(owner).await;
        let sum: usize = self.lock.read("sum").await.unwrap().map_or(0, |sum| sum.parse().unwrap());
        let write = guard.write("sum", &(sum + 1).to_string(), Expiry::Never).await.unwrap();
        self.holders.lock().unwrap().leave(&guard);
        guard.release().await.unwrap();
        write == Write::Written
    }

    /// Holds the lock until its lease has ended and another owner has acquired it, and writes only then.
    async fn pause(&self, owner: &str) {
        let guard = self.hold(owner).await;
        let next = self.hold(&format!("next after {owner}")).await;
        let write = guard.write("sum", "nonsense", Expiry::Never).await.unwrap();
        assert!(matches!(write, Write::Stale { newest } if newest >= next.token()), "{owner}: {write:?}");
    }
}

/// What the holders know about their leases, by the clock that they share.
#[derive(Default)]
struct Holders {
    newest: Option<FencingToken>,
    held_until: Millis,
}

impl Holders {
    /// Records a new holder, and checks that no other has a lease and that its token is the newest.
    fn enter(&mut self, guard: &Guard<'_, HttpTransport, RealRuntime>, runtime: &RealRuntime) {
        let (now, left) = (runtime.now(), guard.remaining());
        if left == Millis::ZERO {
            // The lease has already ended, and the guard reports that.
            return;
        }
        assert!(
            self.held_until <= now,
            "at {now:?} the previous holder still has its lease, until {:?}",
            self.held_until
        );
        assert!(self.newest < Some(guard.token()), "{} after {:?}", guard.token(), self.newest);
        self.newest = Some(guard.token());
        self.held_until = Millis::new(now.get() + left.get());
    }

    /// Records that the holder is about to release the lock.
    fn leave(&mut self, guard: &Guard<'_, HttpTransport, RealRuntime>) {
        if self.newest == Some(guard.token()) {
            self.held_until = Millis::ZERO;
        }
    }
}

const WORKERS: usize = 8;
const ROUNDS: usize = 8;
const LEASE_MS: u64 = 150;
