//! The bounds of limits, changed quotas, and which limits share a state.

use super::*;

fn name(text: &str) -> LimitName {
    LimitName::new(text).unwrap()
}

fn bucket(quota: u64, window_ms: u64, burst: Option<u64>) -> Result<Limit, &'static str> {
    Limit::token_bucket(name("b"), quota, Millis::new(window_ms), burst).map_err(|error| error.field)
}

#[test]
fn numbers_have_bounds() {
    assert_eq!(bucket(0, 1000, None), Err("limit"));
    assert_eq!(bucket(MAX_INTEGER + 1, 1000, None), Err("limit"));
    assert_eq!(bucket(1, 0, None), Err("window"));
    assert_eq!(bucket(1, 3651 * 86_400_000, None), Err("window"));
    assert_eq!(bucket(1, 1000, Some(0)), Err("burst"));
    assert_eq!(bucket(1, 1000, Some(MAX_INTEGER + 1)), Err("burst"));
    assert!(Limit::sliding_log(name("l"), MAX_INTEGER, Millis::new(1)).is_ok());
}

#[test]
fn sliding_window_weights_stay_below_2_53() {
    let sliding = |quota, window| Limit::sliding_window(name("s"), quota, Millis::new(window));
    // 2^53 - 1 = 6361 * 69431 * 20394401.
    assert!(sliding(69_431 * 20_394_401, 6361).is_ok());
    assert!(sliding(MAX_INTEGER, 1).is_ok());
    let error = sliding(1 << 40, 1 << 13).unwrap_err();
    assert_eq!(
        error.to_string(),
        "limit: 1099511627776 units times 8192ms are 9007199254740992, more than 2^53 \
         (choose a smaller limit, a shorter window, or another algorithm)"
    );
}

#[test]
fn every_algorithm_has_the_same_bounds() {
    let (zero, ten_years) = (Millis::ZERO, Millis::new(3650 * 86_400_000));
    let over = Millis::new(ten_years.get() + 1);
    let field = |result: Result<Limit, InvalidLimit>| result.map_err(|error| error.field);
    for span in [zero, over] {
        assert_eq!(field(Limit::sliding_log(name("l"), 1, span)), Err("window"));
        assert_eq!(field(Limit::sliding_window(name("l"), 1, span)), Err("window"));
        assert_eq!(field(Limit::fixed_window(name("l"), 1, Window::Span(span))), Err("window"));
        assert_eq!(field(Limit::concurrency(name("l"), 1, span)), Err("lease"));
    }
    for quota in [0, MAX_INTEGER + 1] {
        assert_eq!(field(Limit::fixed_window(name("l"), quota, Window::Month)), Err("limit"));
        assert_eq!(field(Limit::sliding_window(name("l"), quota, Millis::new(1))), Err("limit"));
        assert_eq!(field(Limit::concurrency(name("l"), quota, ten_years)), Err("limit"));
    }
    assert!(Limit::fixed_window(name("l"), MAX_INTEGER, Window::Month).is_ok());
    assert!(Limit::concurrency(name("l"), MAX_INTEGER, ten_years).is_ok());
}

/// One limit of each algorithm, with a quota of 20.
fn one_of_each() -> Vec<Limit> {
    let span = Millis::from_secs(10);
    vec![
        Limit::sliding_log(name("a"), 20, span).unwrap(),
        Limit::sliding_window(name("a"), 20, span).unwrap(),
        Limit::fixed_window(name("a"), 20, Window::Span(span)).unwrap(),
        Limit::fixed_window(name("a"), 20, Window::Month).unwrap(),
        Limit::token_bucket(name("a"), 20, span, None).unwrap(),
        Limit::token_bucket(name("a"), 20, span, Some(7)).unwrap(),
        Limit::concurrency(name("a"), 20, span).unwrap(),
    ]
}

#[test]
fn changing_the_quota_keeps_everything_else() {
    for limit in one_of_each() {
        assert_eq!(limit.with_quota(20, None).as_ref(), Ok(&limit));
        let other = limit.with_quota(5000, None).unwrap();
        assert_eq!(other.quota(), 5000);
        assert!(other.keeps_state_of(&limit) && limit.keeps_state_of(&other), "{limit:?}");
        assert_eq!(other.with_quota(20, None).as_ref(), Ok(&limit), "back to the first quota");
        for quota in [0, MAX_INTEGER + 1] {
            assert_eq!(limit.with_quota(quota, None).map_err(|error| error.field), Err("limit"), "{limit:?}");
        }
    }
}

#[test]
fn a_bucket_keeps_its_burst_unless_given_another() {
    let burst = |limit: &Limit, quota, burst| limit.with_quota(quota, burst).unwrap().capacity();
    let span = Millis::from_secs(10);
    let plain = Limit::token_bucket(name("a"), 20, span, None).unwrap();
    let with_burst = Limit::token_bucket(name("a"), 20, span, Some(100)).unwrap();
    assert_eq!([burst(&plain, 50, None), burst(&plain, 50, Some(7))], [50, 7]);
    assert_eq!([burst(&with_burst, 50, None), burst(&with_burst, 50, Some(7))], [100, 7]);
    let Algorithm::TokenBucket { rate, .. } = plain.with_quota(50, None).unwrap().algorithm() else { panic!() };
    assert_eq!(rate, Rate { refill: 1, fractions: 200 }, "the rate follows the new quota");
}

#[test]
fn only_a_token_bucket_accepts_a_burst() {
    for limit in one_of_each() {
        let result = limit.with_quota(50, Some(60)).map_err(|error| error.to_string());
        match limit.algorithm() {
            Algorithm::TokenBucket { .. } => assert_eq!(result.unwrap().capacity(), 60),
            algorithm => {
                let message = format!("burst: a {} has none (a token_bucket has)", algorithm.name());
                assert_eq!(result, Err(message));
            }
        }
    }
}

#[test]
fn state_needs_the_same_name_algorithm_and_window() {
    let ms = Millis::new;
    let bucket = |quota, window, burst| Limit::token_bucket(name("a"), quota, ms(window), Some(burst)).unwrap();
    assert!(bucket(1, 1000, 1).keeps_state_of(&bucket(5, 1000, 9)));
    assert!(!bucket(1, 1000, 1).keeps_state_of(&bucket(1, 2000, 1)));
    let fixed = |window| Limit::fixed_window(name("a"), 1, window).unwrap();
    assert!(!fixed(Window::Month).keeps_state_of(&fixed(Window::Span(ms(1)))));
    let log = |text, window| Limit::sliding_log(name(text), 1, ms(window)).unwrap();
    assert!(log("a", 1).keeps_state_of(&log("a", 2)));
    assert!(!log("a", 1).keeps_state_of(&log("b", 1)));
    assert!(!log("a", 1000).keeps_state_of(&bucket(1, 1000, 1)));
}
