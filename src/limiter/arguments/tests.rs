use super::*;
use crate::limit::{By, Window};
use crate::limiter::fixtures::{burst, day, inflight, name};
use crate::limiter::request_id::RequestId;
use crate::limiter::settlement::Correction;
use crate::time::Millis;

/// The arguments as one line, like on a command line.
fn joined(arguments: &[Argument<'_>]) -> String {
    let words: Vec<String> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Number(number) => number.to_string(),
            Argument::Text(text) => (*text).to_owned(),
        })
        .collect();
    words.join(" ")
}

/// The keys and the joined arguments of a check at 77 ms.
fn check(limits: &[Limit], requests: &[CheckRequest<'_>]) -> (Vec<String>, String) {
    check_of(&Subject::named("ip:203.0.113.7"), limits, requests)
}

fn check_of(subject: &Subject, limits: &[Limit], requests: &[CheckRequest<'_>]) -> (Vec<String>, String) {
    let call = CallLimits::of(subject, limits).unwrap();
    let costs: Vec<_> = requests.iter().map(|request| call.costs(request.cost, 1)).collect();
    let (keys, arguments) = call.check(requests, &costs, Now::At(Millis::new(77)));
    (keys, joined(&arguments))
}

#[test]
fn check_arguments_follow_the_script_header() {
    let (keys, arguments) = check(&[burst(), day()], &[1.into(), 5.into()]);
    assert_eq!(keys, ["sg:1:{ip:203.0.113.7}", "sg:1:{ip:203.0.113.7}:log:day"]);
    assert_eq!(arguments, "77 2 burst token_bucket 10000 30 1 500 day sliding_log 86400000 100 2 1 5");
}

#[test]
fn every_algorithm_has_its_arguments() {
    let limits = [
        Limit::concurrency(name("inflight"), 3, Millis::from_secs(30)).unwrap(),
        Limit::fixed_window(name("month"), 1000, Window::Month).unwrap(),
        Limit::fixed_window(name("hour"), 100, Window::Span(Millis::from_secs(3600))).unwrap(),
        Limit::sliding_window(name("minute"), 10, Millis::from_secs(60)).unwrap(),
    ];
    let lease = LeaseId::new("r1").unwrap();
    let (keys, arguments) = check(&limits, &[CheckRequest { cost: 2, lease: Some(&lease) }, 0.into()]);
    assert_eq!(keys, ["sg:1:{ip:203.0.113.7}", "sg:1:{ip:203.0.113.7}:inflight:inflight"]);
    assert_eq!(
        arguments,
        "77 4 inflight concurrency 30000 3 month fixed_window month 1000 hour fixed_window 3600000 100 \
         minute sliding_window 60000 10 2 2 r1 0 ?"
    );
}

#[test]
fn a_limit_that_counts_requests_has_its_own_cost() {
    let (_, arguments) = check(&[burst().counting_requests(), day()], &[1000.into(), 1.into(), 0.into()]);
    assert!(arguments.ends_with(" 3 1,1000 1 0"), "{arguments}");
}

#[test]
fn epoch_does_not_select_the_clock_of_redis() {
    let limits = [burst(), day()];
    let subject = Subject::named("x");
    let call = CallLimits::of(&subject, &limits).unwrap();
    let (_, arguments) = call.check(&[1.into()], &[None], Now::At(Millis::ZERO));
    assert_eq!(arguments[0], Argument::Number(1));
}

#[test]
fn settle_arguments_follow_the_script_header() {
    let (subject, limits, request) = (Subject::named("x"), [burst(), inflight(), day()], RequestId::new("r1").unwrap());
    let correction = Correction::between(10, 7);
    let settlement =
        Settlement { request: &request, charged_at: Millis::new(55), correction, memory: Millis::from_secs(60) };
    let call = CallLimits::of(&subject, &limits).unwrap();
    let (keys, arguments) = call.settle(&subject, &settlement, Now::At(Millis::new(77)));
    assert_eq!(keys, ["sg:1:{x}", "sg:1:{x}:settled", "sg:1:{x}:inflight:inflight", "sg:1:{x}:log:day"]);
    let limits = "3 burst token_bucket 10000 30 1 500 inflight concurrency 30000 4 day sliding_log 86400000 100";
    assert_eq!(joined(&arguments), format!("77 55 r1 60000 0 3 {limits}"));
}

#[test]
fn limits_are_in_the_order_of_their_states() {
    let limits = [
        day().counting_by(By::Everyone),
        burst(),
        inflight().counting_by(By::Country),
        Limit::fixed_window(name("all"), 9, Window::Month).unwrap().counting_requests().counting_by(By::Everyone),
    ];
    let subject = Subject::named("x").with(&By::Everyone, b"").with(&By::Country, b"CH").with(&By::Asn, b"1");
    let lease = LeaseId::new("r1").unwrap();
    let (keys, arguments) = check_of(&subject, &limits, &[CheckRequest { cost: 5, lease: Some(&lease) }]);
    let states = ["sg:1:{x}", "sg:1:{everyone}", "sg:1:{x}:by:country:CH"];
    let sets = ["sg:1:{everyone}:log:day", "sg:1:{x}:by:country:CH:inflight:inflight"];
    assert_eq!(keys, [&states[..], &sets].concat());
    assert_eq!(
        arguments,
        "77 1,2,1 burst token_bucket 10000 30 1 500 day sliding_log 86400000 100 all fixed_window month 9 \
         inflight concurrency 30000 4 1 5,5,1,5 r1"
    );
    assert_eq!(CallLimits::of(&subject, &limits).unwrap().places(), Some(&[1, 0, 3, 2][..]));

    // One state, but not that of the caller.
    let (keys, arguments) = check_of(&subject, &limits[2..3], &[CheckRequest { cost: 1, lease: Some(&lease) }]);
    assert_eq!(keys, ["sg:1:{x}:by:country:CH", "sg:1:{x}:by:country:CH:inflight:inflight"]);
    assert_eq!(arguments, "77 1 inflight concurrency 30000 4 1 1 r1");
    assert!(CallLimits::of(&Subject::named("x"), &limits).is_err(), "no value of country");
}
