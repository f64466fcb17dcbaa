//! What a tenant has used, and corrections of it.

use serde_json::{Value, json};

use super::admin::Admin;
use super::response::{Failure, Response};
use super::{input, wire};
use crate::config::json::{Problems, integer, timestamp};
use crate::http::problem::Problem;
use crate::limit::{Algorithm, Budget, Limit, usage};
use crate::limiter::{Correction, RequestId, SettleOutcome, Settlement};
use crate::redis::Transport;
use crate::tenant::history;
use crate::tenant::store::Stored;
use crate::time::{Millis, Timestamp};

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn usage(&self, id: &str) -> Result<Response, Failure> {
        let (id, now) = (wire::id(id)?, self.now());
        let stored = self.tenant(&id).await?;
        // A tenant whose plan no longer exists still has a history.
        let limits = stored.tenant.limits(self.config, now).unwrap_or_default();
        let mut budgets = Vec::new();
        if !limits.is_empty() {
            let verdict = self.limiter.peek(&id.subject(), &limits, self.check_time(now)).await?;
            budgets = verdict.budgets().iter().map(budget).collect();
        }
        let history = history::read(self.limiter, &id, now).await?;
        Ok(Response::json(
            200,
            &json!({
                "tenant": id,
                "plan": stored.tenant.plan(),
                "limits": budgets,
                "today": history.today,
                "history": history.days,
            }),
        ))
    }

    pub(super) async fn reset(&self, id: &str, body: &Value) -> Result<Response, Failure> {
        let id = wire::id(id)?;
        input::read(body, &[], Problems::default(), |_, _| Some(()))?;
        let stored = self.tenant(&id).await?;
        let limits = stored.tenant.limits(self.config, self.now()).unwrap_or_default();
        history::reset(self.limiter, &id, &limits).await?;
        Ok(Response::no_content())
    }

    pub(super) async fn refund(&self, id: &str, body: &Value) -> Result<Response, Failure> {
        let (id, now) = (wire::id(id)?, self.now());
        let known = ["units", "request", "charged_at"];
        let ((units, request), charged_at) = input::read(body, &known, Problems::default(), |object, problems| {
            input::refuse_null(body, &["charged_at"], problems);
            let request = |value: &Value| RequestId::new(input::id(value)?).map_err(|error| error.to_string());
            let what = object.required("units", integer, problems).zip(object.required("request", request, problems));
            what.zip(Some(object.optional("charged_at", timestamp, problems)))
        })?;
        let stored = self.tenant(&id).await?;
        let limits = self.limits_of(&stored, now)?;
        let settlement = Settlement {
            request: &request,
            charged_at: charged_at.map_or(Millis::new(now.get().saturating_sub(RECENTLY.get())), Timestamp::millis),
            correction: Correction::GiveBack(units),
            memory: MEMORY,
        };
        let subject = id.subject();
        let all = self.metered(&limits);
        let outcome = self.limiter.settle(&subject, &all, &settlement, self.check_time(now)).await?;
        let (refunded, units) = match outcome {
            SettleOutcome::Settle { units } => (true, units),
            SettleOutcome::Repeat => (false, Vec::new()),
        };
        let each = |(limit, units): (&Limit, u64)| json!({ "name": limit.name().as_str(), "units": units });
        let limits: Vec<_> = limits.iter().zip(units).map(each).collect();
        Ok(Response::json(200, &json!({ "refunded": refunded, "limits": limits })))
    }

    /// Returns the limits of a tenant at `now`.
    pub(super) fn limits_of(&self, stored: &Stored, now: Millis) -> Result<Vec<Limit>, Problem> {
        stored.tenant.limits(self.config, now).map_err(|error| Problem::unknown_plan(&error.plan))
    }

    /// Returns these limits of a tenant, followed by its usage meters if usage is recorded.
    pub(super) fn metered(&self, limits: &[Limit]) -> Vec<Limit> {
        if self.config.usage { usage::with_meters(limits) } else { limits.to_vec() }
    }
}

fn budget(budget: &Budget) -> Value {
    let limit = &budget.limit;
    let (algorithm, holds) = match limit.algorithm() {
        Algorithm::SlidingLog { .. } => ("sliding_log", limit.quota()),
        Algorithm::SlidingWindow { .. } => ("sliding_window", limit.quota()),
        Algorithm::FixedWindow { .. } => ("fixed_window", limit.quota()),
        Algorithm::TokenBucket { burst, .. } => ("token_bucket", burst),
        Algorithm::Concurrency { .. } => ("concurrency", limit.quota()),
    };
    json!({
        "name": limit.name().as_str(),
        "algorithm": algorithm,
        "limit": limit.quota(),
        "used": holds.saturating_sub(budget.remaining),
        "remaining": budget.remaining,
        "reset_ms": budget.reset.get(),
    })
}

/// How long before its refund a request was charged, if the call does not say when.
const RECENTLY: Millis = Millis::from_secs(60);

/// How long a repeated refund does nothing: a week.
const MEMORY: Millis = Millis::from_secs(7 * 86_400);
