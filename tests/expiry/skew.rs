//! Callers whose clocks differ by at most one second see no effect of expiry, and get no more than guaranteed.

use proptest::prelude::*;
use sluicegate::limit::{Algorithm, CheckRequest, LeaseId, Limit, LimitName, Subject, Verdict, Window};
use sluicegate::limiter::{Limiter, Now};
use sluicegate::time::Millis;

use crate::cases;
use crate::clocked::{Clocked, ClockedTransport};
use crate::direct::at_once;

thread_local! {
    static SERVER: Clocked = Clocked::start();
}

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn promises_hold_for_clocks_one_second_apart(traffic in skewed()) {
        SERVER.with(|server| promised(server, &traffic))?;
    }
}

/// An exact client and one ahead take all they can, alternating every 50 ms for 10 s.
#[test]
fn a_clock_300_ms_ahead_reopens_no_window() {
    let limit = Limit::fixed_window(name(), 10, Window::Span(Millis::new(2000))).unwrap();
    let step = |i: u64| Step { pass: if i > 0 { 50 } else { 0 }, ahead: i % 2 == 1, costs: vec![1; 11] };
    let traffic = Skewed { limit, ahead: 300, steps: (0..200).map(step).collect() };
    let granted = |server: &Clocked| granted(server, &traffic).units.len();
    assert!(SERVER.with(granted) <= 60, "six windows begin");
    assert!(granted(&Clocked::with(Some("math.max(ms - 1000, 1)"))) > 60, "as many if keys died at once");
    SERVER.with(|server| promised(server, &traffic)).unwrap();
}

/// Requests to one limit by an exact client and by one whose clock is ahead.
#[derive(Debug, Clone)]
pub(crate) struct Skewed {
    limit: Limit,
    ahead: u64,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    /// Milliseconds since the previous request.
    pass: u64,
    /// Whether the client with the clock ahead sends it.
    ahead: bool,
    costs: Vec<u64>,
}

/// Traffic to a limit of any kind but calendar months.
pub(crate) fn skewed() -> impl Strategy<Value = Skewed> {
    let limit = (0_u8..5, 1_u64..8, 1_u64..3000).prop_map(|(kind, quota, window)| {
        let window = Millis::new(window);
        let limit = match kind {
            0 => Limit::sliding_log(name(), quota, window),
            1 => Limit::sliding_window(name(), quota, window),
            2 => Limit::fixed_window(name(), quota, Window::Span(window)),
            3 => Limit::token_bucket(name(), quota, window, None),
            _ => Limit::concurrency(name(), quota, window),
        };
        limit.unwrap()
    });
    let ahead = prop_oneof![1 => Just(1000_u64), 2 => 0_u64..=1000];
    let pass = prop_oneof![2 => Just(0_u64), 3 => 0_u64..300, 1 => 0_u64..3000];
    let step = (pass, any::<bool>(), prop::collection::vec(0_u64..8, 1..4)).prop_map(|(pass, ahead, costs)| Step {
        pass,
        ahead,
        costs,
    });
    (limit, ahead, prop::collection::vec(step, 1..40)).prop_map(|(limit, ahead, steps)| Skewed { limit, ahead, steps })
}

/// No span of the limit's time has more units than the limit allows.
pub(crate) fn promised(server: &Clocked, traffic: &Skewed) -> Result<(), TestCaseError> {
    let Granted { units: granted, same } = granted(server, traffic);
    prop_assert!(same, "something was forgotten that matters: {:?}", traffic);
    let quota = traffic.limit.quota();
    for (i, (start, _)) in granted.iter().enumerate() {
        let mut units = 0;
        for (at, cost) in &granted[i..] {
            let (counts, most) = match traffic.limit.algorithm() {
                Algorithm::SlidingLog { window } => (at - start < window.get(), quota),
                Algorithm::TokenBucket { burst, window, .. } => (true, burst + (at - start) * quota / window.get()),
                Algorithm::SlidingWindow { .. } | Algorithm::FixedWindow { .. } => {
                    let window = traffic.limit.window().unwrap().get();
                    (at / window == start / window, quota)
                }
                Algorithm::Concurrency { .. } => (false, quota),
            };
            units += if counts { *cost } else { 0 };
            prop_assert!(units <= most, "{} units from {} to {}: {:?}", units, start, at, traffic);
        }
    }
    Ok(())
}

struct Granted {
    /// The costs that were admitted, each with the limit's time, which never goes backwards.
    units: Vec<(u64, u64)>,
    /// Whether every reply equals that of a Redis that keeps all keys.
    same: bool,
}

fn granted(server: &Clocked, traffic: &Skewed) -> Granted {
    server.clear();
    let (forgets, keeps) = (server.limiter(), server.unforgetting());
    let (mut real, mut latest, mut granted, mut same) = (1_800_000_000_000, 0, Vec::new(), true);
    for (i, step) in traffic.steps.iter().enumerate() {
        real += step.pass;
        server.reach(real);
        let clock = real + if step.ahead { traffic.ahead } else { 0 };
        let lease = LeaseId::new(&format!("lease-{i}")).unwrap();
        let ask = |limiter: &Limiter<ClockedTransport<'_>>, subject: &str| -> Vec<Verdict> {
            let requests = step.costs.iter().map(|cost| CheckRequest { cost: *cost, lease: Some(&lease) });
            let (subject, limits) = (Subject::named(subject), std::slice::from_ref(&traffic.limit));
            at_once(limiter.check_batch(&subject, limits, requests, Now::At(Millis::new(clock)))).unwrap()
        };
        let (verdicts, expected) = (ask(&forgets, "s"), ask(&keeps, "kept"));
        same = same && verdicts == expected;
        for (verdict, cost) in verdicts.iter().zip(&step.costs) {
            if verdict.is_allow() && *cost > 0 {
                latest = clock.max(latest);
                granted.push((latest, *cost));
            }
        }
    }
    Granted { units: granted, same }
}

fn name() -> LimitName {
    LimitName::new("n").unwrap()
}
