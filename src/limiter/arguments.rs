//! `KEYS` and `ARGV` of the scripts, in the order of the header of each file in `lua/`.

use super::clock::Now;
use super::settlement::Settlement;
use crate::limit::{Algorithm, CheckRequest, LeaseId, Limit, MAX_INTEGER, NO_LEASE, Subject, Window};
use crate::redis::Argument;

/// Returns `KEYS` and `ARGV` of `check.lua`. `costs` holds [`costs_per_limit`] of each request.
pub(super) fn check_arguments<'a>(
    subject: &Subject,
    limits: &'a [Limit],
    requests: &[CheckRequest<'a>],
    costs: &'a [Option<String>],
    now: Now,
) -> (Vec<String>, Vec<Argument<'a>>) {
    let (sets, limit_words) = limit_arguments(subject, limits);
    let keys = [vec![subject.state_key()], sets].concat();
    let mut arguments = vec![now.argument()];
    arguments.extend(limit_words);
    let needs_lease = limits.iter().any(Limit::needs_lease);
    arguments.push(Argument::Number(requests.len() as u64));
    for (request, costs) in requests.iter().zip(costs) {
        arguments.push(costs.as_deref().map_or(Argument::Number(request.cost), Argument::Text));
        if needs_lease {
            arguments.push(Argument::Text(request.lease.map_or(NO_LEASE, LeaseId::as_str)));
        }
    }
    (keys, arguments)
}

/// Returns the charges of `times` requests of this cost at each limit, joined by commas, unless all of them equal `times`
/// costs.
pub(super) fn costs_per_limit(limits: &[Limit], cost: u64, times: u64) -> Option<String> {
    if limits.iter().all(|limit| limit.charge_for(cost) == cost) {
        return None;
    }
    let charge = |limit: &Limit| limit.charge_for(cost).saturating_mul(times).to_string();
    let charges: Vec<String> = limits.iter().map(charge).collect();
    Some(charges.join(","))
}

/// Returns `KEYS` and `ARGV` of `settle.lua`.
pub(super) fn settle_arguments<'a>(
    subject: &Subject,
    limits: &'a [Limit],
    settlement: &Settlement<'a>,
    now: Now,
) -> (Vec<String>, Vec<Argument<'a>>) {
    let (sets, limit_words) = limit_arguments(subject, limits);
    let keys = [vec![subject.state_key(), subject.settled_key()], sets].concat();
    let mut arguments = vec![
        now.argument(),
        Argument::Number(settlement.charged_at.get().clamp(1, MAX_INTEGER)),
        Argument::Text(settlement.request.as_str()),
        Argument::Number(settlement.memory.get().clamp(1, MAX_INTEGER)),
    ];
    arguments.extend(settlement.correction.arguments());
    arguments.extend(limit_words);
    (keys, arguments)
}

/// Returns the keys of the limits' sorted sets, and their arguments: how many limits, then the words of each.
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
