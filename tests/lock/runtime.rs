//! Runtimes for the lock: one with real time, and one with time that a test moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sluicegate::redis::lock::Runtime;
use sluicegate::time::Millis;
use tokio::sync::watch;
use tokio::time::Instant;

/// A runtime with real time, which starts at zero when the value is made. All clones share it.
#[derive(Debug, Clone)]
pub(crate) struct RealRuntime {
    start: Instant,
    random_state: Arc<AtomicU64>,
}

impl RealRuntime {
    pub(crate) fn new() -> Self {
        RealRuntime { start: Instant::now(), random_state: Arc::new(AtomicU64::new(1)) }
    }
}

impl Runtime for RealRuntime {
    async fn sleep(&self, duration: Millis) {
        tokio::time::sleep(duration.into()).await;
    }

    fn now(&self) -> Millis {
        Millis::new(self.start.elapsed().as_millis().try_into().unwrap())
    }

    fn random(&self) -> u64 {
        split_mix(&self.random_state)
    }
}

/// A runtime with a clock that moves only when a test or, if so set, a sleep moves it.
#[derive(Debug, Clone)]
pub(crate) struct ManualRuntime {
    now: Arc<watch::Sender<u64>>,
    random_state: Arc<AtomicU64>,
    sleep_advances: bool,
    slept: Arc<Mutex<Vec<u64>>>,
}

impl ManualRuntime {
    /// Returns a clock that only [`ManualRuntime::advance`] moves.
    pub(crate) fn stopped() -> Self {
        ManualRuntime {
            now: Arc::new(watch::Sender::new(1_000_000)),
            random_state: Arc::new(AtomicU64::new(1)),
            sleep_advances: false,
            slept: Arc::default(),
        }
    }

    /// Returns a clock that each sleep moves forward at once by its duration.
    pub(crate) fn auto_advancing() -> Self {
        ManualRuntime { sleep_advances: true, ..ManualRuntime::stopped() }
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.now.send_modify(|now| *now += ms);
    }

    /// Moves the clock back, as a faulty clock may.
    pub(crate) fn set_back(&self, ms: u64) {
        self.now.send_modify(|now| *now -= ms);
    }

    /// Returns the duration of each sleep so far, in milliseconds.
    pub(crate) fn slept(&self) -> Vec<u64> {
        self.slept.lock().unwrap().clone()
    }
}

impl Runtime for ManualRuntime {
    async fn sleep(&self, duration: Millis) {
        self.slept.lock().unwrap().push(duration.get());
        let until = self.now().get() + duration.get();
        if self.sleep_advances {
            self.advance(duration.get());
        }
        self.now.subscribe().wait_for(|now| *now >= until).await.unwrap();
    }

    fn now(&self) -> Millis {
        Millis::new(*self.now.borrow())
    }

    fn random(&self) -> u64 {
        split_mix(&self.random_state)
    }
}

/// Returns the next number of the generator `SplitMix64` (Guy Steele and others, 2014).
fn split_mix(state: &AtomicU64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let z = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
