//! What has happened in a run.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    exchange::{Exchange, Explanation},
    timeline::Timeline,
};

/// Counts the responses and explains them.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) timeline: Timeline,
    counts: Mutex<Counts>,
}

/// The numbers so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Requests by status and explanation; the status 0 stands for no response.
    pub(crate) explained: BTreeMap<(u16, Explanation), u64>,
    /// Requests whose client left.
    pub(crate) left: u64,
    pub(crate) unexplained: u64,
    /// The first of these.
    pub(crate) examples: Vec<String>,
    /// Requests in this minute.
    pub(crate) minute: Minute,
    /// Waiting for a period that explains it: a slow machine is noticed afterwards.
    waiting: Vec<Exchange>,
}

/// The requests of a minute, by the first digit of the status; the index 0 is for no response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Minute {
    pub(crate) requests: u64,
    pub(crate) classes: [u64; 6],
    pub(crate) left: u64,
}

impl Record {
    /// Adds a request that its client has waited for.
    pub(crate) fn add(&self, exchange: Exchange) {
        let explanation = exchange.explain(&self.timeline);
        let mut counts = self.lock();
        counts.minute.requests += 1;
        if let Some(class) = counts.minute.classes.get_mut(usize::from(exchange.status() / 100)) {
            *class += 1;
        }
        match explanation {
            Some(explanation) => *counts.explained.entry((exchange.status(), explanation)).or_default() += 1,
            None => counts.waiting.push(exchange),
        }
    }

    /// Adds a request whose client has left.
    pub(crate) fn add_left(&self) {
        let mut counts = self.lock();
        counts.minute.requests += 1;
        counts.minute.left += 1;
        counts.left += 1;
    }

    /// Decides about the statuses that nothing explained at first, and ended more than `ago` ago.
    pub(crate) fn settle(&self, ago: Duration) {
        let mut counts = self.lock();
        let now = Instant::now();
        let (old, young) = std::mem::take(&mut counts.waiting).into_iter().partition(|one| now - one.ended >= ago);
        counts.waiting = young;
        let old: Vec<Exchange> = old;
        for exchange in old {
            if let Some(explanation) = exchange.explain(&self.timeline) {
                *counts.explained.entry((exchange.status(), explanation)).or_default() += 1;
                continue;
            }
            counts.unexplained += 1;
            if counts.examples.len() < EXAMPLES {
                let before = self.timeline.before(exchange.sent);
                let before = before.map(|(name, ago)| format!("{ago:.1?} after {name:?}: ")).unwrap_or_default();
                counts.examples.push(before + &exchange.to_string());
            }
        }
    }

    /// Returns the requests since the last call.
    pub(crate) fn take_minute(&self) -> Minute {
        std::mem::take(&mut self.lock().minute)
    }

    /// Returns all numbers, and starts over.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // No panic can leave the numbers in an inconsistent state.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const EXAMPLES: usize = 20;
