//! Many who want the lock at once, some of whom die or fall asleep with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sluicegate::redis::cas::Expiry;
use sluicegate::redis::lock::{Attempt, FencingToken, Guard, Lock, Runtime, Write};
use sluicegate::redis::{self, Command, HttpTransport};
use sluicegate::time::Millis;

use crate::lock;
use crate::runtime::Real;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_holder_rising_tokens_and_no_lost_update() {
    let server = Server::start().await;
    let (runtime, register) = (Real::new(), Arc::new(Mutex::new(Register::default())));
    let workers: Vec<_> = (0..WORKERS)
        .map(|id| {
            let lock = lock(server.transport(), runtime.clone(), LEASE_MS);
            tokio::spawn(Worker { id, lock, runtime: runtime.clone(), register: register.clone() }.work())
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

/// No script is known to Redis for long.
async fn flush_scripts(transport: HttpTransport) {
    loop {
        redis::run::<String>(&transport, Command::new("SCRIPT").text("FLUSH")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Worker {
    id: usize,
    lock: Lock<HttpTransport, Real>,
    runtime: Real,
    register: Arc<Mutex<Register>>,
}

impl Worker {
    /// Adds one in every round, but for one in which it dies with the lock, and one in which it falls asleep.
    async fn work(self) {
        for round in 0..ROUNDS {
            let owner = format!("worker {} in round {round}", self.id);
            match (round + self.id) % ROUNDS {
                0 => drop(self.hold(&owner).await),
                1 => self.fall_asleep(&owner).await,
                // On a busy machine the lease may be over before the holder has written.
                _ => while !self.add_one(&owner).await {},
            }
        }
    }

    async fn hold(&self, owner: &str) -> Guard<'_, HttpTransport, Real> {
        let Attempt::Acquired(guard) = self.lock.acquire(owner, Millis::from_secs(120)).await.unwrap() else {
            panic!("{owner} starves");
        };
        self.register.lock().unwrap().enter(&guard, &self.runtime);
        guard
    }

    /// Whether the addition came through.
    async fn add_one(&self, owner: &str) -> bool {
        let guard = self.hold(owner).await;
        let sum: usize = self.lock.read("sum").await.unwrap().map_or(0, |sum| sum.parse().unwrap());
        let write = guard.write("sum", &(sum + 1).to_string(), Expiry::Never).await.unwrap();
        self.register.lock().unwrap().leave(&guard);
        guard.release().await.unwrap();
        write == Write::Written
    }

    /// Holds the lock until somebody has had it after its lease, and writes then.
    async fn fall_asleep(&self, owner: &str) {
        let guard = self.hold(owner).await;
        let next = self.hold(&format!("next after {owner}")).await;
        let write = guard.write("sum", "nonsense", Expiry::Never).await.unwrap();
        assert!(matches!(write, Write::Stale { newest } if newest >= next.token()), "{owner}: {write:?}");
    }
}

/// What holders believe, by the clock that they share.
#[derive(Default)]
struct Register {
    newest: Option<FencingToken>,
    held_until: Millis,
}

impl Register {
    fn enter(&mut self, guard: &Guard<'_, HttpTransport, Real>, runtime: &Real) {
        let (now, left) = (runtime.now(), guard.remaining());
        if left == Millis::ZERO {
            // Its lease was over before it came here: it does not believe that it holds the lock.
            return;
        }
        assert!(self.held_until <= now, "at {now:?} the one before relies on its lease until {:?}", self.held_until);
        assert!(self.newest < Some(guard.token()), "{} after {:?}", guard.token(), self.newest);
        self.newest = Some(guard.token());
        self.held_until = Millis::new(now.get() + left.get());
    }

    /// The holder is about to release.
    fn leave(&mut self, guard: &Guard<'_, HttpTransport, Real>) {
        if self.newest == Some(guard.token()) {
            self.held_until = Millis::ZERO;
        }
    }
}

const WORKERS: usize = 8;
const ROUNDS: usize = 8;
const LEASE_MS: u64 = 150;
