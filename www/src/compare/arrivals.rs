//! When the requests of clients that never repeat one arrive.

use super::preset::Preset;
use super::random::Random;
use super::setting::Setting;

/// Returns the arrival of each request, in order. Clients that retry have none: see `clients`.
pub(super) fn arrivals(setting: &Setting) -> Vec<u64> {
    let requests = setting.requests();
    match setting.preset {
        Preset::Steady => even(requests, 0, setting.duration()).collect(),
        Preset::Bursty => bursts(setting, requests),
        Preset::Boundary => in_cycles(setting, requests, |cycle, count| {
            let (window, boundary) = (setting.window.get(), cycle + setting.window.get());
            let moment = moment(setting);
            let before = count.div_ceil(2);
            even(before, boundary - moment, moment).chain(even(count - before, boundary, window)).collect()
        }),
        Preset::Herd => {
            let mut random = Random::new(setting.seed);
            in_cycles(setting, requests, |cycle, count| {
                let start = cycle + setting.window.get() / 2;
                let mut herd: Vec<u64> = (0..count).map(|_| start + random.below(moment(setting))).collect();
                herd.sort_unstable();
                herd
            })
        }
        Preset::Patient | Preset::Impatient => Vec::new(),
    }
}

/// Returns `count` times at equal distances, from `start` on for `span` milliseconds.
fn even(count: u64, start: u64, span: u64) -> impl Iterator<Item = u64> {
    // In the middle of its share each, so that none is at an end.
    (0..count).map(move |i| start + (2 * i + 1) * span / (2 * count.max(1)))
}

/// Distributes the requests over cycles of two windows. `times` returns those of the cycle that starts at a time.
fn in_cycles(setting: &Setting, requests: u64, mut times: impl FnMut(u64, u64) -> Vec<u64>) -> Vec<u64> {
    let cycles = (setting.windows / 2).max(1);
    (0..cycles)
        .flat_map(|cycle| {
            let count = requests * (cycle + 1) / cycles - requests * cycle / cycles;
            times(2 * cycle * setting.window.get(), count)
        })
        .collect()
}

/// Bursts at random times, on average of half a limit each.
fn bursts(setting: &Setting, requests: u64) -> Vec<u64> {
    let mut random = Random::new(setting.seed);
    let moment = moment(setting);
    let starts = setting.duration() - moment + 1;
    let mut times = Vec::new();
    let mut left = requests;
    while left > 0 {
        let size = (1 + random.below(setting.limit)).min(left);
        let start = random.below(starts);
        times.extend((0..size).map(|_| start + random.below(moment)));
        left -= size;
    }
    times.sort_unstable();
    times
}

/// How long a burst lasts.
fn moment(setting: &Setting) -> u64 {
    setting.window.get() / 50
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::setting::tests::settings;
    use super::*;

    proptest! {
        #[test]
        fn every_request_arrives_in_order_and_in_time(setting in settings(500)) {
            let times = arrivals(&setting);
            prop_assert!(times.is_sorted());
            prop_assert!(times.iter().all(|time| *time < setting.duration()));
            let expected = if setting.preset.retries() { 0 } else { setting.requests() };
            prop_assert_eq!(times.len() as u64, expected);
            prop_assert_eq!(times, arrivals(&setting), "the same setting, the same traffic");
        }

        #[test]
        fn no_window_of_steady_traffic_has_more_than_its_share(setting in settings(500)) {
            let setting = Setting { preset: Preset::Steady, ..setting };
            let times = arrivals(&setting);
            let share = setting.requests().div_ceil(setting.windows);
            let from = |time: u64| times.partition_point(|other| *other < time);
            for time in &times {
                let found = from(time + setting.window.get()) - from(*time);
                prop_assert!(found as u64 <= share + 1, "{} in the window from {}", found, time);
            }
        }
    }

    #[test]
    fn boundary_attack_sends_half_just_before_the_window_ends() {
        let setting: Setting = "preset=boundary&limit=10&window=10s&burst=1&demand=100&hold=1s&seed=1".parse().unwrap();
        let times = arrivals(&setting);
        let (before, after) = times[..20].split_at(10);
        assert!(before.iter().all(|time| (9_800..10_000).contains(time)), "{before:?}");
        assert_eq!(after, [10_500, 11_500, 12_500, 13_500, 14_500, 15_500, 16_500, 17_500, 18_500, 19_500]);
        assert_eq!(times[20], times[0] + 20_000);
    }
}
