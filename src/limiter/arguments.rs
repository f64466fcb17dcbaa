//! `KEYS` and `ARGV` of the scripts, in the order of the header of each file in `lua/`.

use super::clock::Now;
use super::settlement::Settlement;
use crate::limit::{
    Algorithm, CheckRequest, Grouping, InvalidCheck, LeaseId, Limit, MAX_INTEGER, NO_LEASE, Subject, Window,
};
use crate::redis::Argument;

/// The limits of a call, in the order of the script.
#[derive(Debug)]
pub(super) struct CallLimits<'a> {
    /// The owners of the states.
    owners: Vec<&'a Subject>,
    /// The limits, those of the first state first, each with the owner of its state.
    limits: Vec<(&'a Limit, &'a Subject)>,
    /// With several states, the number of limits in each, joined by commas.
    counts: Option<String>,
    /// With several states, the place of each limit of the caller in `limits`.
    places: Option<Vec<usize>>,
}

impl<'a> CallLimits<'a> {
    /// Orders limits by the owner of their state.
    ///
    /// # Errors
    /// Fails if the subject has no value for what a limit counts by.
    pub(super) fn of(subject: &'a Subject, limits: &'a [Limit]) -> Result<Self, InvalidCheck> {
        let Some(grouping) = Grouping::unless_callers(subject, limits)? else {
            let limits = limits.iter().map(|limit| (limit, subject)).collect();
            return Ok(CallLimits { owners: vec![subject], limits, counts: None, places: None });
        };
        let order = grouping.order();
        let with_owner = |limit: &'a Limit| Some((limit, subject.owner(limit)?));
        let ordered = order.iter().filter_map(|limit| with_owner(limits.get(*limit)?)).collect();
        let count = |owner| grouping.limits_of(owner).count().to_string();
        let counts: Vec<String> = (0..grouping.owners.len()).map(count).collect();
        let place = |limit| order.iter().position(|ordered| *ordered == limit);
        let places = (0..limits.len()).filter_map(place).collect();
        let several = counts.len() > 1;
        Ok(CallLimits {
            owners: grouping.owners,
            limits: ordered,
            counts: several.then(|| counts.join(",")),
            places: several.then_some(places),
        })
    }

    /// Returns the place of each limit of the caller in the reply, unless it has the order of the caller.
    pub(super) fn places(&self) -> Option<&[usize]> {
        self.places.as_deref()
    }

    /// Returns the charges of `times` requests of this cost at each limit, joined by commas, unless all of them equal
    /// `times` costs.
    pub(super) fn costs(&self, cost: u64, times: u64) -> Option<String> {
        if self.limits.iter().all(|(limit, _)| limit.charge_for(cost) == cost) {
            return None;
        }
        let charge = |(limit, _): &(&Limit, &Subject)| limit.charge_for(cost).saturating_mul(times).to_string();
        let charges: Vec<String> = self.limits.iter().map(charge).collect();
        Some(charges.join(","))
    }

    /// Returns `KEYS` and `ARGV` of `check.lua`. `costs` holds [`CallLimits::costs`] of each request.
    pub(super) fn check<'c>(
        &'c self,
        requests: &[CheckRequest<'c>],
        costs: &'c [Option<String>],
        now: Now,
    ) -> (Vec<String>, Vec<Argument<'c>>) {
        let mut keys: Vec<String> = self.owners.iter().map(|owner| owner.state_key()).collect();
        keys.extend(self.sets());
        let mut arguments = vec![now.argument()];
        self.push_words(&mut arguments);
        let needs_lease = self.limits.iter().any(|(limit, _)| limit.needs_lease());
        arguments.push(Argument::Number(requests.len() as u64));
        for (request, costs) in requests.iter().zip(costs) {
            arguments.push(costs.as_deref().map_or(Argument::Number(request.cost), Argument::Text));
            if needs_lease {
                arguments.push(Argument::Text(request.lease.map_or(NO_LEASE, LeaseId::as_str)));
            }
        }
        (keys, arguments)
    }

    /// Returns `KEYS` and `ARGV` of `settle.lua`. The caller `subject` remembers that the request is settled.
    pub(super) fn settle<'c>(
        &'c self,
        subject: &Subject,
        settlement: &Settlement<'c>,
        now: Now,
    ) -> (Vec<String>, Vec<Argument<'c>>) {
        let mut keys: Vec<String> = self.owners.iter().map(|owner| owner.state_key()).collect();
        keys.push(subject.settled_key());
        keys.extend(self.sets());
        let mut arguments = vec![
            now.argument(),
            Argument::Number(settlement.charged_at.get().clamp(1, MAX_INTEGER)),
            Argument::Text(settlement.request.as_str()),
            Argument::Number(settlement.memory.get().clamp(1, MAX_INTEGER)),
        ];
        arguments.extend(settlement.correction.arguments());
        self.push_words(&mut arguments);
        (keys, arguments)
    }

    /// Returns the keys of the limits' sorted sets.
    pub(super) fn sets(&self) -> impl Iterator<Item = String> {
        self.limits.iter().filter_map(|(limit, owner)| set_key(owner, limit))
    }

    /// Appends how many limits there are, then the words of each.
    fn push_words<'c>(&'c self, arguments: &mut Vec<Argument<'c>>) {
        let counts = self.counts.as_deref().map(Argument::Text);
        arguments.push(counts.unwrap_or(Argument::Number(self.limits.len() as u64)));
        for (limit, _) in &self.limits {
            let window = match limit.algorithm() {
                Algorithm::FixedWindow { window: Window::Month } => Argument::Text("month"),
                Algorithm::SlidingLog { window }
                | Algorithm::SlidingWindow { window }
                | Algorithm::FixedWindow { window: Window::Span(window) }
                | Algorithm::TokenBucket { window, .. }
                | Algorithm::Concurrency { lease: window } => Argument::Number(window.get()),
            };
            let name = limit.name().as_str();
            arguments.extend([Argument::Text(name), Argument::Text(limit.algorithm().name()), window]);
            match limit.algorithm() {
                Algorithm::TokenBucket { burst, rate, .. } => {
                    arguments.extend([burst, rate.refill, rate.fractions].map(Argument::Number));
                }
                _ => arguments.push(Argument::Number(limit.quota())),
            }
        }
    }
}

/// Returns the key of a limit's sorted set, if it has one.
pub(super) fn set_key(owner: &Subject, limit: &Limit) -> Option<String> {
    match limit.algorithm() {
        Algorithm::SlidingLog { .. } => Some(owner.log_key(limit.name())),
        Algorithm::Concurrency { .. } => Some(owner.inflight_key(limit.name())),
        Algorithm::SlidingWindow { .. } | Algorithm::FixedWindow { .. } | Algorithm::TokenBucket { .. } => None,
    }
}

#[cfg(test)]
mod tests;
