//! Checks the guarantees of the limits from the admissions alone, without the product's algorithms.

use std::collections::{HashMap, VecDeque};

use sluicegate::limit::algorithm::calendar::end_of_month;
use sluicegate::limit::{Algorithm, Limit, Window};

use super::replay::IdentifiedRequest;

/// Checks the admissions of one subject, in order, against the guarantee of a limit.
pub(crate) fn hold(limit: &Limit, admissions: &[IdentifiedRequest]) -> Result<(), String> {
    let quota = limit.quota();
    let kept = match limit.algorithm() {
        Algorithm::SlidingLog { window } => most_in_any(admissions, window.get()) <= quota,
        Algorithm::SlidingWindow { window } => {
            most_in_each(admissions, |at| at / window.get()) <= quota
                && most_in_any(admissions, window.get()) <= 2 * quota
        }
        Algorithm::FixedWindow { window: Window::Span(span) } => {
            most_in_each(admissions, |at| at / span.get()) <= quota
        }
        Algorithm::FixedWindow { window: Window::Month } => most_in_each(admissions, end_of_month) <= quota,
        Algorithm::TokenBucket { window, burst, .. } => refilled_in_time(admissions, quota, window.get(), burst),
        Algorithm::Concurrency { lease } => most_alive(admissions, lease.get()) <= quota,
    };
    if kept { Ok(()) } else { Err(format!("more was admitted than the limit allows: {limit:?}")) }
}

/// Returns the most units in any window of this length.
fn most_in_any(admissions: &[IdentifiedRequest], window: u64) -> u64 {
    let (mut most, mut units, mut first) = (0, 0, 0);
    for admission in admissions {
        units += admission.cost;
        while admissions[first].at + window <= admission.at {
            units -= admissions[first].cost;
            first += 1;
        }
        most = most.max(units);
    }
    most
}

/// The most units in any of the windows that `window` tells apart.
fn most_in_each(admissions: &[IdentifiedRequest], window: impl Fn(u64) -> u64) -> u64 {
    let mut units: HashMap<u64, u64> = HashMap::new();
    for admission in admissions {
        *units.entry(window(admission.at)).or_default() += admission.cost;
    }
    units.into_values().max().unwrap_or(0)
}

/// Whether no span between two admissions has more units than the burst plus the refill.
fn refilled_in_time(admissions: &[IdentifiedRequest], quota: u64, window: u64, burst: u64) -> bool {
    let [quota, window, burst] = [quota, window, burst].map(i128::from);
    // The units taken minus the refill since the start; the largest rise is the largest debt.
    let (mut taken, mut lowest) = (0, i128::MAX);
    admissions.iter().all(|admission| {
        let back = i128::from(admission.at) * quota;
        lowest = lowest.min(taken - back);
        taken += i128::from(admission.cost) * window;
        taken - back - lowest <= burst * window
    })
}

/// Returns the most leases alive at once. Taking a lease again renews it.
fn most_alive(admissions: &[IdentifiedRequest], lease: u64) -> u64 {
    let (mut most, mut ends, mut order) = (0, HashMap::new(), VecDeque::new());
    for admission in admissions {
        let id = admission.lease.as_ref().unwrap();
        ends.insert(id, admission.at + lease);
        order.push_back((admission.at + lease, id));
        while let Some((end, id)) = order.pop_front_if(|(end, _)| *end <= admission.at) {
            if ends.get(id) == Some(&end) {
                ends.remove(id);
            }
        }
        most = most.max(ends.len());
    }
    most as u64
}
