//! `KEYS` and `ARGV` of the scripts.

use super::clock::Now;
use super::settlement::Settlement;
use crate::limit::{Algorithm, CheckRequest, LeaseId, Limit, MAX_INTEGER, NO_LEASE, Subject, Window};
use crate::redis::Argument;

/// KEYS and ARGV of `check.lua`.
pub(super) fn check_arguments<'a>(
    subject: &Subject,
    limits: &'a [Limit],
    requests: &[CheckRequest<'a>],
    prices: &'a [Option<String>],
    now: Now,
) -> (Vec<String>, Vec<Argument<'a>>) {
    let (sets, limit_words) = limit_arguments(subject, limits);
    let keys = [vec![subject.state_key()], sets].concat();
    let mut arguments = vec![now.argument()];
    arguments.extend(limit_words);
    let leases = limits.iter().any(Limit::needs_lease);
    arguments.push(Argument::Number(requests.len() as u64));
    for (request, prices) in requests.iter().zip(prices) {
        arguments.push(prices.as_deref().map_or(Argument::Number(request.cost), Argument::Text));
        if leases {
            arguments.push(Argument::Text(request.lease.map_or(NO_LEASE, LeaseId::as_str)));
        }
    }
    (keys, arguments)
}

/// What a request is charged at each limit, where that is not the same at all.
pub(super) fn costs_per_limit(limits: &[Limit], cost: u64) -> Option<String> {
    if limits.iter().all(|limit| limit.charge_for(cost) == cost) {
        return None;
    }
    let prices: Vec<String> = limits.iter().map(|limit| limit.charge_for(cost).to_string()).collect();
    Some(prices.join(","))
}

/// KEYS and ARGV of `settle.lua`.
pub(super) fn settle_arguments<'a>(
    subject: &Subject,
    limits: &'a [Limit],
    settlement: &Settlement<'a>,
    now: Now,
) -> (Vec<String>, Vec<Argument<'a>>) {
    let (sets, words) = limit_arguments(subject, limits);
    let keys = [vec![subject.state_key(), subject.settled_key()], sets].concat();
    let mut arguments = vec![
        now.argument(),
        Argument::Number(settlement.charged_at.get().clamp(1, MAX_INTEGER)),
        Argument::Text(settlement.request.as_str()),
        Argument::Number(settlement.memory.get().clamp(1, MAX_INTEGER)),
    ];
    arguments.extend(settlement.correction.arguments());
    arguments.extend(words);
    (keys, arguments)
}

/// Limits as every script that takes some reads them: the keys of their sets, and in ARGV how many they are and
/// the words of each.
pub(super) fn limit_arguments<'a>(subject: &Subject, limits: &'a [Limit]) -> (Vec<String>, Vec<Argument<'a>>) {
    let mut keys = Vec::new();
    let mut arguments = vec![Argument::Number(limits.len() as u64)];
    for limit in limits {
        let name = limit.name();
        let (algorithm, window) = match limit.algorithm() {
            Algorithm::SlidingLog { window } => {
                keys.push(subject.log_key(name));
                ("sliding_log", Argument::Number(window.get()))
            }
            Algorithm::SlidingWindow { window } => ("sliding_window", Argument::Number(window.get())),
            Algorithm::FixedWindow { window: Window::Span(span) } => ("fixed_window", Argument::Number(span.get())),
            Algorithm::FixedWindow { window: Window::Month } => ("fixed_window", Argument::Text("month")),
            Algorithm::TokenBucket { window, .. } => ("token_bucket", Argument::Number(window.get())),
            Algorithm::Concurrency { lease } => {
                keys.push(subject.inflight_key(name));
                ("concurrency", Argument::Number(lease.get()))
            }
        };
        arguments.extend([Argument::Text(name.as_str()), Argument::Text(algorithm), window]);
        match limit.algorithm() {
            Algorithm::TokenBucket { burst, rate, .. } => {
                arguments.extend([burst, rate.refill, rate.fractions].map(Argument::Number));
            }
            _ => arguments.push(Argument::Number(limit.quota())),
        }
    }
    (keys, arguments)
}

#[cfg(test)]
mod tests;
