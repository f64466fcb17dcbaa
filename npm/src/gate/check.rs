//! Checks a request: spends units taken in advance, repeats a remembered refusal, asks Redis, or follows the outage policy.

use std::rc::Rc;

use sluicegate::admin::CheckInput;
use sluicegate::config::OnOutage;
use sluicegate::config::json::InvalidInput;
use sluicegate::http::problem::Problem;
use sluicegate::limit::{CheckRequest, LeaseId};
use sluicegate::limiter::{CheckError, LotId};
use sluicegate::redis::RedisError;
use sluicegate::time::Millis;

use super::js::{now, random_uuid};
use super::judged::{DecidedBy, Judged};
use super::lease::Lease;
use super::state::State;
use super::subject::{Charge, Uncharged};
use super::{background, timer};

/// Decides about a request before the configured timeout.
///
/// # Errors
/// Fails if the check is invalid. A failure of Redis is a decision, by the outage policy.
pub(super) async fn check(state: &Rc<State>, input: CheckInput) -> Result<Judged, InvalidInput> {
    let deadline = state.deadline();
    let limiter = state.limiter(&deadline);
    let mut charge = match Charge::find(state, &limiter, input).await {
        Ok(charge) => charge,
        Err(Uncharged::Invalid(invalid)) => return Err(invalid),
        Err(Uncharged::Refused(problem)) => return Ok(Judged::refused(problem, DecidedBy::Tenant)),
    };
    if let Some(problem) = charge.refusal.take() {
        return Ok(Judged::refused(problem, DecidedBy::Tenant));
    }
    if charge.needs_lease() && charge.lease.is_none() {
        charge.lease = LeaseId::new(&random_uuid()).ok();
    }
    if let Some(error) = charge.unread.take() {
        return by_policy(state, &charge, &error);
    }
    let (subject, limits, cost) = (&charge.subject, &charge.limits, charge.cost);
    let request = CheckRequest { cost, lease: charge.lease.as_ref() };
    let decided =
        limiter.decide_with_prefetch(subject, limits, request, charge.prefetch, state.config.clock, now()).await;
    let error = match decided {
        Ok(decided) => {
            if let (Some(lot), Some(rule)) = (decided.lot, charge.prefetch) {
                give_back_later(state, lot, rule.hold());
            }
            return Ok(Judged::by(decided.verdict, decided.decider.into(), decided.at, &charge));
        }
        Err(CheckError::Invalid(error)) => return Err(error.into()),
        Err(CheckError::Redis(error)) => error,
    };
    if error.outcome_is_unknown()
        && let Some(lease) = Lease::of(&charge)
    {
        let state = Rc::clone(state);
        background::run(async move { lease.release_unconfirmed(&state).await });
    }
    let now = now();
    if let Some(verdict) = limiter.remembered(subject, limits, cost, now) {
        return Ok(Judged::by(verdict, DecidedBy::Memory, now, &charge).because(&error));
    }
    by_policy(state, &charge, &error)
}

/// Decides without Redis.
fn by_policy(state: &State, charge: &Charge, error: &RedisError) -> Result<Judged, InvalidInput> {
    let policy = state.config.on_outage;
    state.log.outage(error, policy);
    let judged = match policy {
        OnOutage::Open => Judged::unjudged(),
        OnOutage::Local if charge.limits.is_empty() => Judged::unjudged(),
        OnOutage::Closed => Judged::refused(Problem::limiter_unavailable(error.retry()), DecidedBy::Outage),
        OnOutage::Local => {
            let request = CheckRequest { cost: charge.cost, lease: charge.lease.as_ref() };
            let now = now();
            let verdict = state.fallback.borrow_mut().check(&charge.subject, &charge.limits, request, now)?;
            Judged::by(verdict, DecidedBy::Local, now, charge)
        }
    };
    Ok(judged.because(error))
}

/// Gives back what is left of a lot after `wait`. If that fails, what is left counts as used.
fn give_back_later(state: &Rc<State>, lot: LotId, wait: Millis) {
    let state = Rc::clone(state);
    background::run(async move {
        timer::sleep(wait).await;
        let deadline = state.deadline();
        let limiter = state.limiter(&deadline);
        if let Err(error) = limiter.give_back(&lot, &random_uuid(), state.config.clock, now()).await {
            state.log.failure("prefetch", &format!("units taken in advance are not given back: {error}"));
        }
    });
}
