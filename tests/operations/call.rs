//! Calls of `lua/settle.lua` and `lua/check.lua`.

use crate::support::{Redis, Spec, kept};

/// The first millisecond of a window of 1, 10, 60 or 1000 s.
pub(crate) const T: u64 = 1_800_000_000_000;
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const MOST: u64 = (1 << 53) - 1;

/// A call of `settle.lua`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settle<'a> {
    pub(crate) now: u64,
    pub(crate) charged_at: u64,
    pub(crate) request: &'a str,
    pub(crate) more: u64,
    pub(crate) less: u64,
}

pub(crate) fn more(units: u64, charged_at: u64) -> Settle<'static> {
    Settle { now: charged_at, charged_at, request: "r", more: units, less: 0 }
}

pub(crate) fn less(units: u64, charged_at: u64) -> Settle<'static> {
    Settle { now: charged_at, charged_at, request: "r", more: 0, less: units }
}

impl Settle<'_> {
    pub(crate) fn at(self, now: u64) -> Self {
        Settle { now, ..self }
    }
}

pub(crate) fn settle(redis: &mut Redis, subject: &str, limits: &[Spec], settle: Settle<'_>) -> Vec<i64> {
    let mut keys = vec![format!("sg:1:{{{subject}}}"), format!("sg:1:{{{subject}}}:settled")];
    keys.extend(limits.iter().filter_map(|spec| spec.key(subject)));
    let Settle { now, charged_at, request, more, less } = settle;
    let mut words = vec!["EVAL".to_owned(), kept(include_str!("../../lua/settle.lua")), keys.len().to_string()];
    words.extend(keys);
    words.extend([now.to_string(), charged_at.to_string(), request.to_owned(), MINUTE.to_string()]);
    words.extend([more, less, limits.len() as u64].map(|number| number.to_string()));
    words.extend(limits.iter().flat_map(Spec::arguments));
    redis.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(crate) fn check(redis: &mut Redis, subject: &str, limits: &[Spec], cost: u64, now: u64) -> Vec<i64> {
    check_batch(redis, subject, limits, &[cost], now)
}

pub(crate) fn check_batch(redis: &mut Redis, subject: &str, limits: &[Spec], costs: &[u64], now: u64) -> Vec<i64> {
    redis.check_kept(subject, limits, costs, now)
}

pub(crate) fn state(redis: &mut Redis, subject: &str) -> String {
    redis.run(&["GET", &format!("sg:1:{{{subject}}}")])
}

/// The entries of a log: time and cost.
pub(crate) fn entries(redis: &mut Redis, subject: &str, name: &str) -> Vec<(u64, u64)> {
    let found: Vec<(String, String)> =
        redis.run(&["ZRANGE", &format!("sg:1:{{{subject}}}:log:{name}"), "0", "-1", "WITHSCORES"]);
    found
        .iter()
        .map(|(member, time)| (time.parse().unwrap(), member.split_once(':').unwrap().1.parse().unwrap()))
        .collect()
}
