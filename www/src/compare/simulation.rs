//! Runs the traffic of a setting in virtual time.

use std::error::Error;
use std::rc::Rc;

use sluicegate::limit::Retry;

use super::clients::{Clients, Sent};
use super::decider::Decider;
use super::record::Record;
use super::setting::Setting;

/// Lets a decider decide the whole traffic.
///
/// # Errors
/// None for a valid setting.
pub(super) fn simulate(
    setting: &Setting,
    arrivals: &Rc<[u64]>,
    mut decider: Decider,
) -> Result<Record, Box<dyn Error>> {
    let mut clients = Clients::new(setting, arrivals);
    let mut record = Record::new();
    let (mut batch, mut answers): (Vec<Sent>, Vec<Retry>) = (Vec::new(), Vec::new());
    let start = first_instant(setting);
    while let Some(now) = clients.next_due() {
        while clients.next_due() == Some(now) {
            batch.extend(clients.send());
        }
        decider.decide(batch.len(), start + now, &mut answers)?;
        for (sent, answer) in batch.drain(..).zip(answers.drain(..)) {
            let waited = clients.answer(sent, now, answer);
            record.add(setting, now, answer, waited);
        }
    }
    Ok(record)
}

/// Returns the instant at which a run begins: a multiple of the window, like the windows of the algorithms.
fn first_instant(setting: &Setting) -> u64 {
    SOME_DAY.next_multiple_of(setting.window.get())
}

/// 2027-01-15, in milliseconds since the epoch.
const SOME_DAY: u64 = 1_800_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arrivals::arrivals;
    use super::super::model::Model;
    use super::super::oracle::worst_window;
    use super::super::preset::Preset;
    use super::super::setting::tests::settings;
    use super::*;

    fn run(model: Model, setting: &Setting) -> Record {
        simulate(setting, &arrivals(setting).into(), Decider::new(model, setting).unwrap()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_window_exceeds_the_bound_of_its_algorithm(setting in settings(60)) {
            for model in Model::ALL {
                let record = run(model, &setting);
                let worst = worst_window(&record.admissions, setting.window.get()).admitted;
                prop_assert!(worst as u64 <= model.bound(&setting), "{:?}: {}", model, worst);
            }
        }

        #[test]
        fn a_concurrency_limit_never_has_more_in_flight(setting in settings(60)) {
            let record = run(Model::Concurrency, &setting);
            let most = worst_window(&record.admissions, setting.hold.get()).admitted;
            prop_assert!(most as u64 <= setting.places());
        }

        #[test]
        fn the_exact_log_admits_what_an_ideal_limiter_admits(setting in settings(60)) {
            let ideal = simulate(&setting, &arrivals(&setting).into(), Decider::ideal(&setting)).unwrap();
            prop_assert_eq!(run(Model::SlidingLog, &setting), ideal);
        }

        #[test]
        fn every_request_is_admitted_or_refused(setting in settings(60)) {
            for model in Model::ALL {
                let record = run(model, &setting);
                let sent: u64 = record.sent.iter().map(|count| u64::from(*count)).sum();
                prop_assert!(record.admissions.len() as u64 <= sent);
                prop_assert!(record.admissions.is_sorted());
                if setting.preset.retries() {
                    prop_assert!(record.waits.len() >= record.admissions.len(), "each request is admitted in the end");
                } else {
                    prop_assert_eq!(sent, setting.requests());
                    prop_assert_eq!(record.waits.len(), record.admissions.len());
                }
            }
        }

        #[test]
        fn the_same_setting_gives_the_same_run(setting in settings(60)) {
            for model in [Model::TokenBucket, Model::TwoCounters] {
                prop_assert_eq!(run(model, &setting), run(model, &setting));
            }
        }
    }

    fn setting(preset: Preset, demand: u64) -> Setting {
        let setting = "preset=steady&limit=100&window=10s&burst=100&demand=100&hold=1s&seed=1".parse().unwrap();
        Setting { preset, demand, ..setting }
    }

    fn worst(model: Model, setting: &Setting) -> usize {
        worst_window(&run(model, setting).admissions, setting.window.get()).admitted
    }

    #[test]
    fn a_boundary_attack_passes_twice_the_limit_except_by_the_log() {
        let attack = setting(Preset::Boundary, 100);
        assert_eq!(worst(Model::SlidingLog, &attack), 100);
        for model in [Model::SlidingWindow, Model::FixedWindow, Model::TokenBucket, Model::TwoCounters] {
            let worst = worst(model, &attack);
            assert!((190..=200).contains(&worst), "{model:?}: {worst}");
        }
    }

    #[test]
    fn overload_starves_only_the_blocking_cache() {
        for preset in [Preset::Steady, Preset::Impatient, Preset::Patient] {
            let overload = setting(preset, 200);
            for model in [Model::SlidingLog, Model::SlidingWindow, Model::FixedWindow, Model::TokenBucket] {
                let admitted = run(model, &overload).admissions.len();
                assert!(admitted >= 950, "{preset:?} {model:?}: {admitted} of 1000");
            }
            let admitted = run(Model::TwoCounters, &overload).admissions.len();
            assert!(admitted <= 700, "{preset:?}: {admitted} of 1000");
        }
    }
}
