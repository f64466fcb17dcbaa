//! Counted by real costs, no limit admits more than it guarantees.

use proptest::prelude::*;

use crate::call::{Settle, T, check, settle};
use crate::cases;
use crate::properties::with_redis;
use crate::support::{Redis, Spec, bucket, fixed, log};

/// An event of a subject, after a delay that may be negative: a request with a cost, or the settlement of an earlier
/// request that cost some units less.
#[derive(Debug, Clone, Copy)]
enum Event {
    Request { step: i64, cost: u64 },
    GiveBack { step: i64, request: prop::sample::Index, share: u64 },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let step = || prop_oneof![3 => Just(0_i64), 5 => 0_i64..800, 1 => -3000_i64..0, 1 => 0_i64..9000];
    prop::collection::vec(
        prop_oneof![
            3 => (step(), 1_u64..12).prop_map(|(step, cost)| Event::Request { step, cost }),
            2 => (step(), any::<prop::sample::Index>(), 0_u64..=4)
                .prop_map(|(step, request, share)| Event::GiveBack { step, request, share }),
        ],
        1..50,
    )
}

/// A request that was admitted.
#[derive(Debug)]
struct Admitted {
    charged_at: u64,
    /// By the limit's time, which never goes back.
    time: u64,
    cost: u64,
    given_back: u64,
    /// The place of its settlement among the events.
    settled: Option<usize>,
    place: usize,
}

impl Admitted {
    fn real(&self) -> u64 {
        self.cost - self.given_back
    }
}

fn play(redis: &mut Redis, limits: &[Spec], events: &[Event]) -> Vec<Admitted> {
    let (mut now, mut latest, mut admitted) = (T, 0, Vec::<Admitted>::new());
    for (place, event) in events.iter().enumerate() {
        match *event {
            Event::Request { step, cost } => {
                now = now.saturating_add_signed(step);
                if check(redis, "s", limits, cost, now)[0] == 1 {
                    latest = now.max(latest);
                    admitted.push(Admitted {
                        charged_at: now,
                        time: latest,
                        cost,
                        given_back: 0,
                        settled: None,
                        place,
                    });
                }
            }
            Event::GiveBack { step, request, share } => {
                now = now.saturating_add_signed(step);
                let open: Vec<usize> = (0..admitted.len()).filter(|i| admitted[*i].settled.is_none()).collect();
                if open.is_empty() {
                    continue;
                }
                let i = open[request.index(open.len())];
                let request = &mut admitted[i];
                request.settled = Some(place);
                request.given_back = request.cost * share / 4;
                let id = format!("request-{i}");
                let back =
                    Settle { now, charged_at: request.charged_at, request: &id, more: 0, less: request.given_back };
                settle(redis, "s", limits, back);
            }
        }
    }
    admitted
}

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    #[test]
    fn real_costs_never_exceed_a_logs_quota(
        (quota, window) in (1_u64..20, 1_u64..3000), events in events()
    ) {
        with_redis(|redis| {
            let admitted = play(redis, &[log("n", quota, window)], &events);
            for first in &admitted {
                let window = first.time..first.time + window;
                let units: u64 = admitted.iter().filter(|request| window.contains(&request.time)).map(Admitted::real).sum();
                prop_assert!(units <= quota, "{} units from {} in {:?}", units, first.time, admitted);
            }
            Ok(())
        })?;
    }

    #[test]
    fn real_costs_never_exceed_a_fixed_windows_quota(
        (quota, window) in (1_u64..20, 1_u64..3000), events in events()
    ) {
        with_redis(|redis| {
            let admitted = play(redis, &[fixed("n", quota, window)], &events);
            for first in &admitted {
                let same = admitted.iter().filter(|request| request.time / window == first.time / window);
                let units: u64 = same.map(Admitted::real).sum();
                prop_assert!(units <= quota, "{} units in the window of {} in {:?}", units, first.time, admitted);
            }
            Ok(())
        })?;
    }

    #[test]
    fn real_costs_stay_within_a_buckets_bound(
        (quota, window, burst) in (1_u64..20, 1_u64..3000, 1_u64..20), events in events()
    ) {
        with_redis(|redis| {
            let admitted = play(redis, &[bucket("n", quota, window, burst)], &events);
            for (i, first) in admitted.iter().enumerate() {
                let mut units = 0;
                for last in &admitted[i..] {
                    units += last.real();
                    let meanwhile = first.place..last.place;
                    let given_back = |request: &&Admitted| request.settled.is_some_and(|place| meanwhile.contains(&place));
                    let earlier: u64 = admitted[..i].iter().filter(given_back).map(|request| request.given_back).sum();
                    let refilled = quota * (last.time - first.time);
                    prop_assert!(units * window <= (burst + earlier) * window + refilled, "{:?} to {:?}", first, last);
                }
            }
            Ok(())
        })?;
    }
}
