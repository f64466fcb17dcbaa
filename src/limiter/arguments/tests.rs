use super::*;
use crate::limit::LimitName;
use crate::time::Millis;

fn limits() -> [Limit; 2] {
    let name = |text| LimitName::new(text).unwrap();
    [
        Limit::token_bucket(name("burst"), 20, Millis::from_secs(10), Some(30)).unwrap(),
        Limit::sliding_log(name("day"), 100, Millis::from_secs(86_400)).unwrap(),
    ]
}

fn asked(limits: &[Limit], requests: &[CheckRequest<'_>]) -> (Vec<String>, String) {
    let prices: Vec<_> = requests.iter().map(|request| costs_per_limit(limits, request.cost)).collect();
    let subject = Subject::named("ip:203.0.113.7");
    let (keys, arguments) = check_arguments(&subject, limits, requests, &prices, Now::At(Millis::new(77)));
    let words: Vec<String> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Number(number) => number.to_string(),
            Argument::Text(text) => (*text).to_owned(),
        })
        .collect();
    (keys, words.join(" "))
}

#[test]
fn the_question_is_spelled_as_the_script_reads_it() {
    let (keys, words) = asked(&limits(), &[1.into(), 5.into()]);
    assert_eq!(keys, ["sg:1:{ip:203.0.113.7}", "sg:1:{ip:203.0.113.7}:log:day"]);
    assert_eq!(words, "77 2 burst token_bucket 10000 30 1 500 day sliding_log 86400000 100 2 1 5");
}

#[test]
fn every_algorithm_has_its_words() {
    let name = |text| LimitName::new(text).unwrap();
    let limits = [
        Limit::concurrency(name("inflight"), 3, Millis::from_secs(30)).unwrap(),
        Limit::fixed_window(name("month"), 1000, Window::Month).unwrap(),
        Limit::fixed_window(name("hour"), 100, Window::Span(Millis::from_secs(3600))).unwrap(),
        Limit::sliding_window(name("minute"), 10, Millis::from_secs(60)).unwrap(),
    ];
    let lease = LeaseId::new("r1").unwrap();
    let (keys, words) = asked(&limits, &[CheckRequest { cost: 2, lease: Some(&lease) }, 0.into()]);
    assert_eq!(keys, ["sg:1:{ip:203.0.113.7}", "sg:1:{ip:203.0.113.7}:inflight:inflight"]);
    assert_eq!(
        words,
        "77 4 inflight concurrency 30000 3 month fixed_window month 1000 hour fixed_window 3600000 100 \
         minute sliding_window 60000 10 2 2 r1 0 ?"
    );
}

#[test]
fn a_limit_that_counts_requests_has_its_own_price() {
    let [burst, day] = limits();
    let (_, words) = asked(&[burst.counting_requests(), day], &[1000.into(), 1.into(), 0.into()]);
    assert!(words.ends_with(" 3 1,1000 1 0"), "{words}");
}

#[test]
fn the_epoch_itself_is_not_mistaken_for_the_clock_of_redis() {
    let limits = limits();
    let (_, arguments) = check_arguments(&Subject::named("x"), &limits, &[1.into()], &[None], Now::At(Millis::ZERO));
    assert_eq!(arguments[0], Argument::Number(1));
}
