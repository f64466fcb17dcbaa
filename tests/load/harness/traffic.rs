//! The traffic of the clients: each has its own sequence, the same in every run except for the time.

use std::sync::atomic::{AtomicU64, Ordering};

use sluicegate::limit::LeaseId;

use super::plans::{HOT, SUBJECTS, WARM};
use super::random::Random;
use super::record::Record;

/// Four hours before the end of a month, so that a month ends during a run.
pub(crate) const START: u64 = 1_801_440_000_000 - 4 * 3_600_000;

/// The largest error of a client's clock, in milliseconds, in either direction.
pub(crate) const SKEW: u64 = 20_000;

/// The clock that all clients share. Each request advances it, by 1.5 s on average.
#[derive(Debug)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn new() -> Self {
        Clock(AtomicU64::new(START))
    }

    /// Returns the time, then advances it by `ms`.
    fn tick(&self, ms: u64) -> u64 {
        self.0.fetch_add(ms, Ordering::Relaxed)
    }

    /// A time later than any that a client has read.
    pub(crate) fn end(&self) -> u64 {
        self.0.load(Ordering::Relaxed) + 2 * SKEW
    }
}

/// The requests of one client.
#[derive(Debug)]
pub(crate) struct Traffic {
    client: usize,
    random: Random,
    /// Its clock's error, with [`SKEW`] added.
    skew: u64,
    leases: u64,
}

impl Traffic {
    pub(crate) fn new(client: usize) -> Self {
        let mut random = Random::new(client as u64);
        let skew = random.within(0, 2 * SKEW);
        Traffic { client, random, skew, leases: 0 }
    }

    /// Returns the next call to send.
    pub(crate) fn next(&mut self, clock: &Clock) -> Record {
        let subject = self.subject();
        let requests: Vec<_> = if self.random.chance(4) {
            vec![(0, None)]
        } else {
            (0..self.size()).map(|_| (self.cost(), Some(self.lease()))).collect()
        };
        let ms = requests.iter().map(|_| self.random.within(0, 3000)).sum();
        let now = clock.tick(ms) + self.skew - SKEW;
        Record { subject, now, requests, answer: None, sent: 0, done: 0 }
    }

    /// Returns a peek at the subject of `record`.
    pub(crate) fn look(&self, record: &Record, clock: &Clock) -> Record {
        let now = clock.tick(0) + self.skew - SKEW;
        Record { subject: record.subject, now, requests: vec![(0, None)], answer: None, sent: 0, done: 0 }
    }

    /// Chooses a hot subject in 40 % of the calls, a warm one in 35 %, a cold one in 25 %.
    fn subject(&mut self) -> usize {
        let number = match self.random.below(100) {
            0..40 => self.random.below(HOT),
            40..75 => HOT + self.random.below(WARM),
            _ => HOT + WARM + self.random.below(SUBJECTS as u64 - HOT - WARM),
        };
        usize::try_from(number).unwrap()
    }

    /// How many requests a call has: mostly one.
    fn size(&mut self) -> u64 {
        match self.random.below(100) {
            0..83 => 1,
            83..98 => self.random.within(2, 10),
            _ => 32,
        }
    }

    /// Mostly small; sometimes none, sometimes more than some limits can ever hold.
    fn cost(&mut self) -> u64 {
        match self.random.below(100) {
            0..4 => 0,
            4..64 => self.random.within(1, 3),
            64..90 => self.random.within(1, 10),
            90..98 => self.random.within(10, 60),
            _ => 260,
        }
    }

    /// A new lease, or sometimes one of the client's last ones again.
    fn lease(&mut self) -> LeaseId {
        let back = if self.random.chance(10) { self.random.below(6) } else { 0 };
        if back == 0 {
            self.leases += 1;
        }
        LeaseId::new(&format!("{}-{}", self.client, self.leases.saturating_sub(back))).unwrap()
    }
}
