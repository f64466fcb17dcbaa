use proptest::prelude::*;

use super::*;

const CAUSE: &str = "redis did not answer in time";
const START: Millis = Millis::new(1_800_000_000_000);

fn after(ms: u64) -> Millis {
    Millis::new(START.get() + ms)
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(Millis::new(250), 7)
}

/// Makes a call that ends at once.
fn call(breaker: &mut CircuitBreaker, failed: bool, now: Millis) -> Option<Change> {
    let permit = breaker.permit(now).unwrap();
    breaker.record(&permit, failed.then_some(CAUSE), now)
}

/// Opens a breaker at `START`, and returns it with the time at which it permits a probe.
fn open() -> (CircuitBreaker, Millis) {
    let mut breaker = breaker();
    for _ in 1..FAILURES_IN_A_ROW {
        assert_eq!(call(&mut breaker, true, START), None);
    }
    let Some(Change::Opened(pause)) = call(&mut breaker, true, START) else { panic!("it opens") };
    (breaker, after(pause.get()))
}

#[test]
fn five_failures_in_a_row_open_it() {
    let (mut breaker, probe) = open();
    let pause = Millis::new(probe.get() - START.get());
    assert!((800..=1200).contains(&pause.get()), "1 s and 20 %: {pause}");
    assert_eq!(breaker.permit(START), Err(pause));
    assert_eq!((breaker.state(START), breaker.cause()), (BreakerState::Open(pause), CAUSE));
    assert_eq!(breaker.permit(Millis::new(probe.get() - 1)), Err(Millis::new(1)));
    assert!(breaker.permit(probe).is_ok());
}

#[test]
fn a_success_between_failures_keeps_it_closed() {
    let mut breaker = breaker();
    for _ in 0..4 {
        for _ in 0..4 {
            assert_eq!(call(&mut breaker, true, START), None);
        }
        // Twelve seconds apart, so that the share of failures does not count.
        assert_eq!(call(&mut breaker, false, after(12_000)), None);
    }
    assert_eq!(breaker.state(START), BreakerState::Closed);
}

#[test]
fn half_of_twenty_failures_open_it() {
    let mut breaker = breaker();
    for i in 0..19 {
        assert_eq!(call(&mut breaker, i % 2 == 1, after(i * 500)), None, "call {i}");
    }
    // The twentieth call is the tenth failure.
    assert!(matches!(call(&mut breaker, true, after(9_500)), Some(Change::Opened(_))));
}

#[test]
fn old_failures_do_not_count() {
    let mut breaker = breaker();
    for i in 0..100 {
        // Of twenty calls, the first ends 10.07 s before the last.
        assert_eq!(call(&mut breaker, i % 2 == 1, after(i * 530)), None, "call {i}");
    }
}

#[test]
fn exactly_one_call_probes() {
    let (mut breaker, probe) = open();
    let permit = breaker.permit(probe).unwrap();
    assert_eq!(breaker.state(probe), BreakerState::Probing);
    for ms in 0..1250 {
        assert_eq!(breaker.permit(Millis::new(probe.get() + ms)), Err(Millis::new(1250 - ms)));
    }
    assert_eq!(breaker.record(&permit, None, probe), Some(Change::Closed));
    assert_eq!(breaker.state(probe), BreakerState::Closed);
    assert!(breaker.permit(probe).is_ok() && breaker.permit(probe).is_ok());
}

#[test]
fn a_probe_that_times_out_late_doubles_the_pause() {
    let (mut breaker, probe) = open();
    let permit = breaker.permit(probe).unwrap();
    let late = Millis::new(probe.get() + 260);
    assert!(breaker.permit(late).is_err());
    let Some(Change::StaysOpen(pause)) = breaker.record(&permit, Some(CAUSE), late) else { panic!("it stays open") };
    assert!((1600..=2400).contains(&pause.get()), "{pause}");
}

#[test]
fn an_abandoned_probe_is_replaced() {
    let (mut breaker, probe) = open();
    let abandoned = breaker.permit(probe).unwrap();
    let later = Millis::new(probe.get() + 1250);
    let next = breaker.permit(later).unwrap();
    // The first one is too late to decide.
    assert_eq!(breaker.record(&abandoned, Some(CAUSE), later), None);
    assert_eq!(breaker.record(&next, None, later), Some(Change::Closed));
}

#[test]
fn pauses_double_to_ten_seconds() {
    let (mut breaker, mut now) = open();
    for seconds in [2, 4, 8, 10, 10] {
        let Some(Change::StaysOpen(pause)) = call(&mut breaker, true, now) else { panic!("it stays open") };
        assert!((seconds * 800..=seconds * 1200).contains(&pause.get()), "{seconds} s: {pause}");
        now = Millis::new(now.get() + pause.get());
    }
    assert_eq!(call(&mut breaker, false, now), Some(Change::Closed));
    for _ in 0..4 {
        assert_eq!(call(&mut breaker, true, now), None, "the failures before are forgotten");
    }
    let Some(Change::Opened(pause)) = call(&mut breaker, true, now) else { panic!("it opens") };
    assert!(pause.get() <= 1200, "the first pause is short again: {pause}");
}

#[test]
fn calls_from_before_it_opened_change_nothing() {
    let mut breaker = breaker();
    let early: Vec<Permit> = (0..30).map(|_| breaker.permit(START).unwrap()).collect();
    for _ in 0..FAILURES_IN_A_ROW {
        call(&mut breaker, true, START);
    }
    let BreakerState::Open(pause) = breaker.state(START) else { panic!("it is open") };
    for (i, permit) in early.iter().enumerate() {
        assert_eq!(breaker.record(permit, (i % 2 == 0).then_some(CAUSE), after(1)), None);
    }
    assert_eq!(breaker.state(START), BreakerState::Open(pause));
}

#[test]
fn a_clock_set_back_does_not_prolong_the_pause() {
    let (mut breaker, _) = open();
    let before = Millis::new(START.get() - 3_600_000);
    assert!(breaker.permit(before).is_ok());
    assert!(breaker.permit(before).is_err(), "still one probe only");
    assert!(breaker.permit(Millis::new(before.get() - 1)).is_ok());
}

#[test]
fn breakers_pause_differently() {
    let pauses = (0..50_u64).map(|seed| {
        let mut breaker = CircuitBreaker::new(Millis::new(250), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (0..5).find_map(|_| call(&mut breaker, true, START)).unwrap()
    });
    let different: std::collections::HashSet<String> = pauses.map(|change| format!("{change:?}")).collect();
    assert!(different.len() > 20, "{different:?}");
}

proptest! {
    /// Whatever happens, at most one call is under way while the breaker is not closed, and a breaker never refuses a
    /// call for longer than the longest pause.
    #[test]
    fn probes_never_pile_up(steps in prop::collection::vec((0_u64..4_000, any::<bool>(), any::<bool>()), 1..400)) {
        let mut breaker = breaker();
        let mut now = START;
        let mut begun: Vec<(Permit, Millis)> = Vec::new();
        for (wait, ends, failed) in steps {
            now = Millis::new(now.get() + wait);
            if ends && let Some((permit, _)) = begun.pop() {
                breaker.record(&permit, failed.then_some(CAUSE), now);
            }
            let closed = breaker.state(now) == BreakerState::Closed;
            match breaker.permit(now) {
                Ok(permit) => {
                    if !closed {
                        // A probe: every earlier one has timed out or has been overtaken by a change.
                        let live = begun.iter().filter(|(earlier, since)| {
                            earlier.epoch == permit.epoch && now.get() - since.get() < 1250
                        });
                        prop_assert_eq!(live.count(), 0);
                        prop_assert!(breaker.permit(now).is_err());
                    }
                    begun.push((permit, now));
                }
                Err(wait) => prop_assert!(!closed && (1..=12_000).contains(&wait.get()), "{wait}"),
            }
        }
    }
}
