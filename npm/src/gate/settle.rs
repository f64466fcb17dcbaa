//! Settles the real cost of a request.

use std::iter::zip;

use serde_json::{Value, json};
use sluicegate::limit::{Limit, usage};
use sluicegate::limiter::{CheckError, Correction, RequestId, SettleOutcome, Settlement};
use sluicegate::time::Millis;

use super::state::State;
use super::subject::Charge;

/// Corrects what a request was charged to its real cost, once for each request. Returns what came of it as JSON.
///
/// # Errors
/// Fails if Redis fails.
pub(super) async fn settle(
    state: &State,
    charge: &Charge,
    request: &RequestId,
    charged_at: Millis,
    real: u64,
) -> Result<Value, CheckError> {
    let correction = Correction::between(charge.cost, real);
    let settlement = Settlement { request, charged_at, correction, memory: MEMORY };
    let deadline = state.deadline();
    let limiter = state.limiter(&deadline);
    let outcome = limiter.settle(&charge.subject, &charge.limits, &settlement, state.call_time()).await?;
    let (settled, units) = match outcome {
        SettleOutcome::Settle { units } => (true, units),
        SettleOutcome::Repeat => (false, Vec::new()),
    };
    let is_meter = |limit: &Limit| [usage::DAY, usage::TOTAL].contains(&limit.name().as_str());
    let own = zip(&charge.limits, units).filter(|(limit, _)| !is_meter(limit));
    let limits = own.map(|(limit, units)| match correction {
        Correction::Charge(_) => json!({ "name": limit.name().as_str(), "charged": units }),
        Correction::GiveBack(_) => json!({ "name": limit.name().as_str(), "givenBack": units }),
    });
    Ok(json!({ "settled": settled, "limits": limits.collect::<Vec<_>>() }))
}

/// How long Redis remembers a settlement: longer than a caller retries one whose outcome is unknown.
const MEMORY: Millis = Millis::from_secs(600);
