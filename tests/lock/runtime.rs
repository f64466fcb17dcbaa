//! Time for the lock: the real one, and one that a test moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sluicegate::redis::lock::Runtime;
use sluicegate::time::Millis;
use tokio::sync::watch;
use tokio::time::Instant;

/// Real time since this value was made, by a clock that all its clones share.
#[derive(Debug, Clone)]
pub(crate) struct Real {
    start: Instant,
    chance: Arc<AtomicU64>,
}

impl Real {
    pub(crate) fn new() -> Self {
        Real { start: Instant::now(), chance: Arc::new(AtomicU64::new(1)) }
    }
}

impl Runtime for Real {
    async fn sleep(&self, duration: Millis) {
        tokio::time::sleep(duration.into()).await;
    }

    fn now(&self) -> Millis {
        Millis::new(self.start.elapsed().as_millis().try_into().unwrap())
    }

    fn random(&self) -> u64 {
        split_mix(&self.chance)
    }
}

/// Time that stands still unless a test moves it, or unless whoever sleeps moves it.
#[derive(Debug, Clone)]
pub(crate) struct Manual {
    now: Arc<watch::Sender<u64>>,
    chance: Arc<AtomicU64>,
    sleeping_moves_time: bool,
    slept: Arc<Mutex<Vec<u64>>>,
}

impl Manual {
    /// A clock that only [`Manual::advance`] moves.
    pub(crate) fn still() -> Self {
        Manual {
            now: Arc::new(watch::Sender::new(1_000_000)),
            chance: Arc::new(AtomicU64::new(1)),
            sleeping_moves_time: false,
            slept: Arc::default(),
        }
    }

    /// A clock that each sleep moves at once.
    pub(crate) fn leaping() -> Self {
        Manual { sleeping_moves_time: true, ..Manual::still() }
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.now.send_modify(|now| *now += ms);
    }

    /// A clock that goes wrong.
    pub(crate) fn set_back(&self, ms: u64) {
        self.now.send_modify(|now| *now -= ms);
    }

    /// The length of each sleep so far.
    pub(crate) fn slept(&self) -> Vec<u64> {
        self.slept.lock().unwrap().clone()
    }
}

impl Runtime for Manual {
    async fn sleep(&self, duration: Millis) {
        self.slept.lock().unwrap().push(duration.get());
        let until = self.now().get() + duration.get();
        if self.sleeping_moves_time {
            self.advance(duration.get());
        }
        self.now.subscribe().wait_for(|now| *now >= until).await.unwrap();
    }

    fn now(&self) -> Millis {
        Millis::new(*self.now.borrow())
    }

    fn random(&self) -> u64 {
        split_mix(&self.chance)
    }
}

/// The next number of the generator `SplitMix64` (Guy Steele and others, 2014).
fn split_mix(state: &AtomicU64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let z = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
