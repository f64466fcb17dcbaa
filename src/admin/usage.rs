//! What a tenant has used, and corrections of it.

use serde_json::{Map, Value, json};

use super::admin::Admin;
use super::query::Query;
use super::response::{Failure, Response};
use super::subjects::{FIELD, Values};
use super::{input, wire};
use crate::config::json::{Problems, integer, timestamp};
use crate::http::problem::Problem;
use crate::limit::{Budget, By, Limit, usage};
use crate::limiter::{Correction, RequestId, SettleOutcome, Settlement};
use crate::redis::Transport;
use crate::tenant::history;
use crate::tenant::store::Stored;
use crate::time::{Millis, Timestamp};

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn usage(&self, id: &str, query: &Query) -> Result<Response, Failure> {
        let (id, now) = (wire::id(id)?, self.now());
        let mut problems = Problems::default();
        let values = Values::of_query(query, self.config.ipv6_prefix, &mut problems);
        problems.finish(Some(()))?;
        let stored = self.tenant(&id).await?;
        // A tenant whose plan no longer exists still has a history.
        let limits = stored.tenant.limits(self.config, now).unwrap_or_default();
        let mut subject = id.subject().with(&By::Everyone, b"");
        values.add_known(&mut subject, &limits)?;
        let known: Vec<Limit> = limits.iter().filter(|limit| subject.owner(limit).is_some()).cloned().collect();
        let mut found = Vec::new();
        if !known.is_empty() {
            found = self.limiter.peek(&subject, &known, self.check_time(now)).await?.budgets().to_vec();
        }
        let budget = |limit: &Limit| found.iter().find(|budget| budget.limit == *limit);
        let budgets: Vec<Value> = limits.iter().map(|limit| describe(limit, budget(limit)).into()).collect();
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
        let values = input::read(body, &[FIELD], Problems::default(), |object, problems| {
            input::refuse_null(body, &[FIELD], problems);
            Some(Values::of_body(object, self.config.ipv6_prefix, problems))
        })?;
        let stored = self.tenant(&id).await?;
        let limits = stored.tenant.limits(self.config, self.now()).unwrap_or_default();
        let mut subject = id.subject();
        values.add_known(&mut subject, &limits)?;
        history::reset(self.limiter, &subject, &limits).await?;
        Ok(Response::no_content())
    }

    pub(super) async fn refund(&self, id: &str, body: &Value) -> Result<Response, Failure> {
        let (id, now) = (wire::id(id)?, self.now());
        let known = ["units", "request", "charged_at", FIELD];
        let ((units, request), (charged_at, values)) =
            input::read(body, &known, Problems::default(), |object, problems| {
                input::refuse_null(body, &["charged_at", FIELD], problems);
                let values = Values::of_body(object, self.config.ipv6_prefix, problems);
                let request = |value: &Value| RequestId::new(input::id(value)?).map_err(|error| error.to_string());
                let what =
                    object.required("units", integer, problems).zip(object.required("request", request, problems));
                what.zip(Some((object.optional("charged_at", timestamp, problems), values)))
            })?;
        let stored = self.tenant(&id).await?;
        let limits = self.limits_of(&stored, now)?;
        let settlement = Settlement {
            request: &request,
            charged_at: charged_at.map_or(now.saturating_sub(RECENTLY), Timestamp::millis),
            correction: Correction::GiveBack(units),
            memory: MEMORY,
        };
        let mut subject = id.subject();
        values.add_all(&mut subject, &limits)?;
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

/// Returns a limit as JSON, with its budget if that is known.
pub(super) fn describe(limit: &Limit, budget: Option<&Budget>) -> Map<String, Value> {
    let holds = if limit.needs_lease() { limit.quota() } else { limit.capacity() };
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    add("name", limit.name().as_str().into());
    add("algorithm", limit.algorithm().name().into());
    add("limit", limit.quota().into());
    if let Some(by) = limit.by() {
        add("by", by.to_string().into());
    }
    if let Some(budget) = budget {
        add("used", holds.saturating_sub(budget.remaining).into());
        add("remaining", budget.remaining.into());
        add("reset_ms", budget.reset.get().into());
    }
    fields
}

/// How long before its refund a request was charged, if the call does not say when.
const RECENTLY: Millis = Millis::from_secs(60);

/// How long a repeated refund does nothing: a week.
const MEMORY: Millis = Millis::from_secs(7 * 86_400);
