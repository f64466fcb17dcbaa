//! A verdict as the headers `RateLimit-Policy`, `RateLimit`, `Retry-After` and `Retry-After-Ms`, and as the problem in
//! the body.
//!
//! The first line has the words `allow` or `deny`, and `shadow`. Each other line is the budget of a limit: name,
//! algorithm, quota, window in milliseconds, burst, remaining units, retry (`now`, `never` or milliseconds) and reset in
//! milliseconds. Whatever the verdict, the fields are valid structured fields that say what it says.

use serde_json::Value;
use sfv::{BareItem, Item, List, ListEntry, Parameters, Parser};
use sluicegate::http::problem::Problem;
use sluicegate::http::rate_limit::{self, RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER, RETRY_AFTER_MS};
use sluicegate::limit::{Budget, Limit, LimitName, MAX_LIMITS, Retry, Verdict, Window};
use sluicegate::time::Millis;

use crate::input::{Lines, Words};

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let first = lines.text();
    let mut words = Words::new(&first);
    let (allow, shadow) = (words.text() == "allow", words.text() == "shadow");
    let mut budgets = Vec::new();
    while lines.has_more() && budgets.len() < MAX_LIMITS {
        budgets.extend(budget(&lines.text()));
    }
    assert_valid_fields(&if allow { Verdict::Allow(budgets) } else { Verdict::Deny(budgets) }, shadow);
}

fn budget(line: &str) -> Option<Budget> {
    let mut words = Words::new(line);
    let (name, algorithm) = (LimitName::new(words.text()).ok()?, words.text());
    let (quota, window, burst) = (words.number(), Millis::new(words.number()), words.number());
    let limit = match algorithm {
        "sliding_log" => Limit::sliding_log(name, quota, window),
        "sliding_window" => Limit::sliding_window(name, quota, window),
        "fixed_window" => Limit::fixed_window(name, quota, Window::Span(window)),
        "month" => Limit::fixed_window(name, quota, Window::Month),
        "concurrency" => Limit::concurrency(name, quota, window),
        _ => Limit::token_bucket(name, quota, window, (burst > 0).then_some(burst)),
    };
    let (remaining, retry, reset) = (words.number(), words.text(), Millis::new(words.number()));
    let retry = match retry.parse() {
        Ok(wait) => Retry::After(Millis::new(wait)),
        Err(_) if retry == "never" => Retry::Never,
        Err(_) => Retry::Now,
    };
    Some(Budget { limit: limit.ok()?, remaining, retry, reset })
}

/// Asserts that the fields of a verdict are valid and say what it says.
pub(super) fn assert_valid_fields(verdict: &Verdict, shadow: bool) {
    let fields = rate_limit::fields(verdict, shadow);
    let value = |name| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
    let policies = items(value(RATE_LIMIT_POLICY).expect("there is a policy"));
    let limits = items(value(RATE_LIMIT).expect("there is a limit"));
    let budgets = verdict.budgets();
    assert_eq!((policies.len(), limits.len()), (budgets.len(), budgets.len()), "{fields:?}");
    let mut longest = None;
    for ((budget, policy), limit) in budgets.iter().zip(&policies).zip(&limits) {
        assert_eq!((&*policy.0, &*limit.0), (budget.limit.name().as_str(), budget.limit.name().as_str()));
        assert_eq!(number(&policy.1, "q"), Some(shown(budget.limit.quota())));
        assert_eq!(number(&policy.1, "w"), budget.limit.window().map(|window| shown(window.ceil_secs())));
        assert_eq!(policy.1.contains_key("shadow"), shadow);
        assert_eq!(number(&limit.1, "r"), Some(shown(budget.remaining)));
        longest = longest.max(number(&limit.1, "t"));
    }
    let wait = match verdict.retry() {
        Retry::After(wait) if !shadow => Some(wait),
        _ => None,
    };
    let retry_after = value(RETRY_AFTER).map(|value| value.parse().expect("a number of seconds"));
    assert_eq!(retry_after, wait.map(Millis::ceil_secs));
    let retry_after_ms = value(RETRY_AFTER_MS).map(|value| value.parse().expect("a number of milliseconds"));
    assert_eq!(retry_after_ms, wait.map(Millis::get));
    if !verdict.is_allow() && wait.is_some() {
        assert_eq!(longest, wait.map(|wait| shown(wait.ceil_secs())), "Retry-After is not the latest t: {fields:?}");
    }
    // The demo page reads what the Worker writes.
    let read = |result: Result<usize, _>| result.expect("the fields are read back");
    assert_eq!(read(rate_limit::parse_policy(value(RATE_LIMIT_POLICY).unwrap()).map(|read| read.len())), budgets.len());
    assert_eq!(read(rate_limit::parse_limits(value(RATE_LIMIT).unwrap()).map(|read| read.len())), budgets.len());
    let body: Value = serde_json::from_str(&Problem::quota_exceeded(verdict).body()).expect("a problem is JSON");
    assert_eq!(body["status"], 429);
}

/// Returns the names and parameters of a list of strings.
fn items(value: &str) -> Vec<(String, Parameters)> {
    let list: List = Parser::new(value).parse().unwrap_or_else(|error| panic!("{value}: {error}"));
    let item = |entry| match entry {
        ListEntry::Item(Item { bare_item: BareItem::String(name), params }) => (name.as_str().to_owned(), params),
        other => panic!("{value}: not a string: {other:?}"),
    };
    list.into_iter().map(item).collect()
}

fn number(parameters: &Parameters, key: &str) -> Option<u64> {
    match parameters.get(key)? {
        BareItem::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Returns a number as a structured field can hold it (RFC 9651, section 3.3.1).
fn shown(number: u64) -> u64 {
    number.min(999_999_999_999_999)
}
