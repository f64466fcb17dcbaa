use super::*;
use crate::limiter::fixtures::{burst, day, inflight};

fn limits() -> [Limit; 2] {
    [burst(), day()]
}

#[test]
fn decodes_a_batch() {
    let reply = [1, 29, 0, 500, 99, 0, 86_400_000, 0, 0, 1500, 15_000, 7, 0, 5, 77];
    let BatchVerdict { at, verdicts } = decode_batch(&limits(), None, 2, &reply).unwrap();
    assert_eq!(at, Millis::new(77));
    assert!(verdicts[0].is_allow());
    assert_eq!(verdicts[0].budgets()[1].remaining, 99);
    assert_eq!(verdicts[1].retry(), Retry::After(Millis::new(1500)));
    assert_eq!(verdicts[1].budgets()[0].reset, Millis::new(15_000));
}

#[test]
fn a_batch_of_the_wrong_length_is_an_error() {
    for numbers in [&[][..], &[1, 0, 0, 0], &[0; 14]] {
        let error = decode_batch(&limits(), None, 2, numbers).unwrap_err();
        assert_eq!(error, RedisError::Length { expected: 15, found: numbers.len() });
    }
}

#[test]
fn contradictory_numbers_are_an_error() {
    for numbers in [
        [2, 0, 0, 0, 0, 0, 0, 1],
        [1, 0, 5, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [1, -1, 0, 0, 0, 0, 0, 1],
        [0, 0, -2, 0, 0, 0, 0, 1],
        [1, 0, 0, -1, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 0, 0, -1],
    ] {
        let error = decode_batch(&limits(), None, 1, &numbers).unwrap_err();
        assert!(matches!(error, RedisError::Shape { .. }), "{numbers:?}: {error}");
    }
}

#[test]
fn decodes_a_settle_outcome_or_fails() {
    let limits = [burst(), inflight(), day()];
    assert_eq!(decode_outcome(&limits, None, &[1, 3, 0, 2]), Ok(SettleOutcome::Settle { units: vec![3, 0, 2] }));
    assert_eq!(decode_outcome(&limits, None, &[0, 0, 0, 0]), Ok(SettleOutcome::Repeat));
    assert_eq!(decode_outcome(&limits, None, &[1, 3]), Err(RedisError::Length { expected: 4, found: 2 }));
    for numbers in [&[][..], &[2, 0, 0, 0]] {
        assert!(matches!(decode_outcome(&limits, None, numbers), Err(RedisError::Shape { .. })), "{numbers:?}");
    }
}
