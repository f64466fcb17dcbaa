//! `GET /events`: the last events of the isolate that answers.

use serde_json::{Map, Value, json};

use super::admin::Admin;
use super::query::Query;
use super::response::{Failure, Response};
use crate::config::json::InvalidInput;
use crate::gateway::Event;
use crate::limit::MAX_INTEGER;
use crate::time::{Millis, Timestamp};

impl<T> Admin<'_, T> {
    pub(super) fn events_after(&self, query: &Query) -> Result<Response, Failure> {
        let after = query.get(AFTER).map_or(Some(0), number);
        let after = after.ok_or_else(|| InvalidInput::new(AFTER, format!("expected 0 to {MAX_INTEGER}")))?;
        let ring = self.events.borrow();
        let new = ring.after(after);
        let events: Vec<Value> = new.events.map(|(number, event)| event_json(number, event)).collect();
        let body = json!({ "isolate": new.ring, "next": new.last, "dropped": new.dropped, "events": events });
        Ok(Response::json(200, &body))
    }
}

/// Returns an event as JSON. Members that do not apply are missing.
fn event_json(number: u64, event: &Event) -> Value {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() && value != "" {
            fields.insert(name.to_owned(), value);
        }
    };
    add("number", number.into());
    add("at", json!(Timestamp::new(event.at)));
    add("event", event.kind.name().into());
    add("status", event.status.into());
    add("problem", event.problem.into());
    add("tenant", event.is_tenant.then_some(event.subject.as_str()).into());
    add("subject", event.subject.as_str().into());
    add("address", json!(event.address));
    add("route", event.route.as_ref().map(|route| route.pattern.to_string()).into());
    add("limit", event.limit.as_str().into());
    add("by", event.by.into());
    add("cost", event.cost.into());
    add("retry_ms", event.retry.map(Millis::get).into());
    add("error", event.error.as_str().into());
    fields.into()
}

/// Reads a whole number.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= MAX_INTEGER)
}

/// The name of the query parameter.
pub(super) const AFTER: &str = "after";
