//! What a limit promises, calculated from the times alone and without the code of the limiters.

use std::collections::VecDeque;

use sluicegate::limit::Retry;
use sluicegate::time::Millis;

/// The window with the most admissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct WorstWindow {
    pub(super) admitted: usize,
    /// The time of its first admission.
    pub(super) from: u64,
}

/// Finds the most admissions in any window of `window` milliseconds, and the first such window. `times` are sorted.
///
/// Exact in linear time: some fullest window begins with an admission, and as its beginning moves on, its end never moves
/// back.
pub(super) fn worst_window(times: &[u64], window: u64) -> WorstWindow {
    let mut worst = WorstWindow::default();
    let mut end = 0;
    for (begin, from) in times.iter().enumerate() {
        while times.get(end).is_some_and(|time| time - from < window) {
            end += 1;
        }
        if end - begin > worst.admitted {
            worst = WorstWindow { admitted: end - begin, from: *from };
        }
    }
    worst
}

/// The ideal limiter: it admits a request whenever no window would have more than the limit.
///
/// No limiter that keeps this promise admits more of the same requests. An admission uses up one of `limit` places for one
/// window, and all of them for the same time; then it is best to give a free place to the first that comes (interval
/// scheduling on identical machines).
#[derive(Debug, Clone)]
pub(super) struct Ideal {
    limit: usize,
    window: u64,
    /// The last admissions, at most `limit`, the oldest first.
    last: VecDeque<u64>,
}

impl Ideal {
    pub(super) fn new(limit: u64, window: Millis) -> Self {
        Ideal { limit: usize::try_from(limit).unwrap_or(usize::MAX), window: window.get(), last: VecDeque::new() }
    }

    /// Decides one request at an instant that is not before the last one.
    pub(super) fn decide(&mut self, now: u64) -> Retry {
        if self.last.len() >= self.limit
            && let Some(oldest) = self.last.front()
        {
            let free = oldest + self.window;
            if free > now {
                return Retry::After(Millis::new(free - now));
            }
            self.last.pop_front();
        }
        self.last.push_back(now);
        Retry::Now
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The most times in any window, by counting them for each beginning.
    pub(crate) fn counted_worst(times: &[u64], window: u64) -> usize {
        let inside = |from: u64| times.iter().filter(|time| (from..from + window).contains(time)).count();
        let last = times.iter().max().map_or(0, |last| last + 1);
        (0..last).map(inside).max().unwrap_or(0)
    }

    /// The most requests that fit if no window has more than `limit`, by trying all subsets.
    fn most_admissible(times: &[u64], limit: usize, window: u64) -> usize {
        let subsets = 0..1_u32 << times.len();
        let chosen = |subset: u32| -> Vec<u64> {
            times.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1).map(|(_, time)| *time).collect()
        };
        subsets
            .map(chosen)
            .filter(|times| counted_worst(times, window) <= limit)
            .map(|times| times.len())
            .max()
            .unwrap()
    }

    fn times(most: usize) -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0..100_u64, 0..=most).prop_map(|mut times| {
            times.sort_unstable();
            times
        })
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_worst(times in times(60), window in 1..120_u64) {
            let worst = worst_window(&times, window);
            prop_assert_eq!(worst.admitted, counted_worst(&times, window));
            let inside = times.iter().filter(|time| (worst.from..worst.from + window).contains(time));
            prop_assert_eq!(inside.count(), worst.admitted, "it is where the oracle says");
        }

        #[test]
        fn no_limiter_admits_more_than_the_ideal_one(times in times(9), limit in 1..4_u64, window in 1..120_u64) {
            let mut ideal = Ideal::new(limit, Millis::new(window));
            let admitted: Vec<u64> = times.iter().copied().filter(|now| ideal.decide(*now) == Retry::Now).collect();
            prop_assert!(counted_worst(&admitted, window) <= usize::try_from(limit).unwrap());
            prop_assert_eq!(admitted.len(), most_admissible(&times, usize::try_from(limit).unwrap(), window));
        }
    }

    #[test]
    fn window_contains_its_beginning_but_not_its_end() {
        assert_eq!(worst_window(&[], 10), WorstWindow::default());
        assert_eq!(worst_window(&[5, 15], 10), WorstWindow { admitted: 1, from: 5 });
        assert_eq!(worst_window(&[0, 5, 14], 10), WorstWindow { admitted: 2, from: 0 });
        assert_eq!(worst_window(&[0, 5, 14, 14], 10), WorstWindow { admitted: 3, from: 5 });
    }
}
