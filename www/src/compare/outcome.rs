//! What the page shows of a run.

use super::oracle::{WorstWindow, worst_window};
use super::record::{BINS, Record};
use super::setting::Setting;

/// The numbers and the picture of a run.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) admitted: usize,
    pub(super) worst: WorstWindow,
    /// How long requests waited; `None` if clients do not repeat what is refused.
    pub(super) waits: Option<Waits>,
    /// The admissions in each window, aligned like those of the algorithms.
    pub(super) by_window: Vec<u32>,
    /// For each part of the run, the most admissions in a window that ends in it.
    pub(super) rolling: Vec<u32>,
    /// The requests sent in each part of the run.
    pub(super) sent_by_part: Vec<u32>,
}

/// How long requests waited until they were admitted, from when they were sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waits {
    pub(super) median: u64,
    pub(super) p99: u64,
    pub(super) longest: u64,
}

impl Outcome {
    pub(super) fn new(setting: &Setting, mut record: Record) -> Self {
        let window = setting.window.get();
        // The clocks of two isolates may differ.
        record.admissions.sort_unstable();
        Outcome {
            sent: record.sent.iter().map(|count| u64::from(*count)).sum(),
            admitted: record.admissions.len(),
            worst: worst_window(&record.admissions, window),
            waits: if setting.preset.retries() { Waits::of(record.waits) } else { None },
            by_window: by_window(&record.admissions, setting),
            rolling: rolling(&record.admissions, setting),
            sent_by_part: record.sent,
        }
    }
}

impl Waits {
    fn of(mut waits: Vec<u64>) -> Option<Self> {
        waits.sort_unstable();
        // The smallest wait that at least this share of the requests does not exceed.
        let quantile = |percent: usize| waits.get((waits.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Waits { median: quantile(50)?, p99: quantile(99)?, longest: quantile(100)? })
    }
}

fn by_window(admissions: &[u64], setting: &Setting) -> Vec<u32> {
    let mut before = 0;
    let ends = (1..=setting.windows).map(|number| number * setting.window.get());
    ends.map(|end| {
        let until = admissions.partition_point(|time| *time < end);
        count(until - std::mem::replace(&mut before, until))
    })
    .collect()
}

/// Returns the most admissions in the window before any time of each part: those of the last `window` milliseconds.
fn rolling(admissions: &[u64], setting: &Setting) -> Vec<u32> {
    let window = setting.window.get();
    let starts_at = |part: u32| (u64::from(part) * setting.duration()).div_ceil(u64::from(BINS));
    // The admissions from index `begin` to `end` are in the window.
    let (mut begin, mut end) = (0, 0);
    let mut most_in = |part: u32| {
        let mut most = 0;
        let mut now = starts_at(part);
        loop {
            while admissions.get(end).is_some_and(|time| *time <= now) {
                end += 1;
            }
            while admissions.get(begin).is_some_and(|time| time + window <= now) {
                begin += 1;
            }
            most = most.max(end.saturating_sub(begin));
            // Between two admissions the number only falls.
            match admissions.get(end) {
                Some(next) if *next < starts_at(part + 1) => now = *next,
                _ => return count(most),
            }
        }
    };
    (0..BINS).map(&mut most_in).collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::oracle::tests::counted_worst;
    use super::super::setting::tests::settings;
    use super::*;

    proptest! {
        #[test]
        fn the_picture_shows_every_admission(
            setting in settings(10),
            times in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
        ) {
            let setting = Setting { window: sluicegate::time::Millis::new(50), windows: 10, ..setting };
            let times: Vec<u64> = times.iter().map(|time| time.index(500) as u64).collect();
            let record = Record { admissions: times.clone(), ..Record::new() };
            let outcome = Outcome::new(&setting, record);
            prop_assert_eq!(outcome.by_window.iter().sum::<u32>() as usize, times.len());
            let worst = counted_worst(&times, 50);
            prop_assert_eq!(outcome.worst.admitted, worst);
            prop_assert_eq!(outcome.rolling.iter().max().copied(), Some(count(worst)));
            for (now, shown) in outcome.rolling.iter().enumerate() {
                let now = now as u64;
                let expected = times.iter().filter(|time| **time <= now && *time + 50 > now).count();
                prop_assert_eq!(*shown as usize, expected, "a part is a millisecond here: {}", now);
            }
        }
    }

    #[test]
    fn quantiles_are_waits_that_occurred() {
        let waits = |values: &[u64]| Waits::of(values.to_vec());
        assert_eq!(waits(&[]), None);
        assert_eq!(waits(&[7]), Some(Waits { median: 7, p99: 7, longest: 7 }));
        assert_eq!(waits(&[4, 1, 3, 2]), Some(Waits { median: 2, p99: 4, longest: 4 }));
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(waits(&hundred), Some(Waits { median: 50, p99: 99, longest: 100 }));
    }
}
