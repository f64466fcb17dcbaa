use super::*;
use crate::limit::LimitName;

fn limits() -> [Limit; 2] {
    let name = |text| LimitName::new(text).unwrap();
    [
        Limit::token_bucket(name("burst"), 20, Millis::from_secs(10), Some(30)).unwrap(),
        Limit::sliding_log(name("day"), 100, Millis::from_secs(86_400)).unwrap(),
    ]
}

#[test]
fn an_answer_is_read() {
    let answer = [1, 29, 0, 500, 99, 0, 86_400_000, 0, 0, 1500, 15_000, 7, 0, 5, 77];
    let BatchVerdict { at, verdicts } = decode_batch(&limits(), 2, &answer).unwrap();
    assert_eq!(at, Millis::new(77));
    assert!(verdicts[0].is_allow());
    assert_eq!(verdicts[0].budgets()[1].remaining, 99);
    assert_eq!(verdicts[1].retry(), Retry::After(Millis::new(1500)));
    assert_eq!(verdicts[1].budgets()[0].reset, Millis::new(15_000));
}

#[test]
fn an_answer_of_the_wrong_length_is_refused() {
    for numbers in [&[][..], &[1, 0, 0, 0], &[0; 14]] {
        let error = decode_batch(&limits(), 2, numbers).unwrap_err();
        assert_eq!(error, RedisError::Length { expected: 15, found: numbers.len() });
    }
}

#[test]
fn numbers_that_contradict_each_other_are_refused() {
    for numbers in [
        [2, 0, 0, 0, 0, 0, 0, 1],
        [1, 0, 5, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [1, -1, 0, 0, 0, 0, 0, 1],
        [0, 0, -2, 0, 0, 0, 0, 1],
        [1, 0, 0, -1, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 0, 0, -1],
    ] {
        let error = decode_batch(&limits(), 1, &numbers).unwrap_err();
        assert!(matches!(error, RedisError::Shape { .. }), "{numbers:?}: {error}");
    }
}
