//! Summaries of repeated events, so that a flood of requests does not become a flood of log lines.

use std::collections::HashMap;
use std::hash::Hash;

use crate::time::Millis;

/// Counts events by key. The first event of a key is logged at once; the later ones become one summary every
/// [`SUMMARY_INTERVAL`]. A key without an event in an interval is forgotten, so that its next event is a first one again.
///
/// `T` is the detail of an event: a summary has the last one.
#[derive(Debug)]
pub struct LogSummary<K, T> {
    events: HashMap<K, Events<T>>,
    /// The most keys. The events of further keys are only counted.
    capacity: usize,
    /// The number of events without a key of their own.
    others: u64,
    /// When the current interval began.
    since: Millis,
}

#[derive(Debug)]
struct Events<T> {
    count: u64,
    last: Option<T>,
}

/// What has happened in an interval, apart from the events that were logged at once.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary<K, T> {
    /// The number of events of each key that has any, with the detail of the last one.
    pub keys: Vec<(K, u64, T)>,
    /// The number of events of all other keys.
    pub others: u64,
}

impl<K: Eq + Hash + Clone, T> LogSummary<K, T> {
    /// Creates a summary of at most `capacity` keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        LogSummary { events: HashMap::new(), capacity, others: 0, since: Millis::ZERO }
    }

    /// Counts an event at `now`, and returns its detail if it must be logged at once. Call [`LogSummary::take`] before.
    pub fn count(&mut self, key: &K, detail: T, now: Millis) -> Option<T> {
        if self.events.is_empty() && self.others == 0 {
            self.since = now;
        }
        if let Some(events) = self.events.get_mut(key) {
            events.count += 1;
            events.last = Some(detail);
            return None;
        }
        if self.events.len() >= self.capacity {
            self.others += 1;
            return None;
        }
        self.events.insert(key.clone(), Events { count: 0, last: None });
        Some(detail)
    }

    /// Returns the summary of the interval if it has ended at `now`, and begins the next one. A summary of nothing is
    /// `None`, too.
    pub fn take(&mut self, now: Millis) -> Option<Summary<K, T>> {
        // A clock that was set back ends the interval.
        if self.since <= now && now.get() - self.since.get() < SUMMARY_INTERVAL.get() {
            return None;
        }
        self.since = now;
        self.events.retain(|_, events| events.count > 0);
        let others = std::mem::take(&mut self.others);
        let keys: Vec<_> = self
            .events
            .iter_mut()
            .filter_map(|(key, events)| Some((key.clone(), std::mem::take(&mut events.count), events.last.take()?)))
            .collect();
        (!keys.is_empty() || others > 0).then_some(Summary { keys, others })
    }
}

/// How often a summary is logged.
pub const SUMMARY_INTERVAL: Millis = Millis::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Millis {
        Millis::new(1_800_000_000_000 + ms)
    }

    /// Counts an event as the log does. Returns whether it is logged at once, and the summary that is due before.
    fn count(summary: &mut LogSummary<u32, u64>, key: u32, ms: u64) -> (bool, Option<Summary<u32, u64>>) {
        let due = summary.take(at(ms));
        (summary.count(&key, ms, at(ms)).is_some(), due)
    }

    #[test]
    fn the_first_event_is_logged_and_the_others_are_counted() {
        let mut summary = LogSummary::new(10);
        assert_eq!(count(&mut summary, 1, 0), (true, None));
        for ms in 1..10_000 {
            assert_eq!(count(&mut summary, 1, ms), (false, None), "{ms}");
        }
        let due = Summary { keys: vec![(1, 9_999, 9_999)], others: 0 };
        assert_eq!(count(&mut summary, 1, 10_000), (false, Some(due)));
        let due = Summary { keys: vec![(1, 1, 10_000)], others: 0 };
        assert_eq!(count(&mut summary, 2, 20_000), (true, Some(due)));
    }

    #[test]
    fn a_quiet_key_begins_anew() {
        let mut summary = LogSummary::new(10);
        assert_eq!(count(&mut summary, 1, 0), (true, None));
        assert_eq!(count(&mut summary, 1, 9_999), (false, None));
        assert!(count(&mut summary, 2, 10_000).1.is_some());
        assert_eq!(count(&mut summary, 1, 20_000), (true, None));
    }

    #[test]
    fn keys_beyond_the_capacity_share_one_count() {
        let mut summary = LogSummary::new(100);
        let logged = (0..10_000).filter(|key| count(&mut summary, *key, 5).0).count();
        assert_eq!(logged, 100);
        let due = summary.take(at(10_005)).unwrap();
        assert_eq!((due.keys.len(), due.others), (0, 9_900));
        assert!(summary.events.is_empty(), "they were quiet");
        assert_eq!(summary.take(at(30_000)), None);
    }

    #[test]
    fn a_clock_set_back_ends_the_interval() {
        let mut summary = LogSummary::new(10);
        count(&mut summary, 1, 5_000);
        count(&mut summary, 1, 5_001);
        assert!(summary.take(at(0)).is_some());
        assert_eq!(summary.take(at(1)), None);
    }
}
