//! The log of failures. As in the Worker, what repeats is summarized: the first event is a line at once, and every ten
//! seconds one more has the number of events since. `count` is the number of events that a line stands for.

use std::cell::RefCell;
use std::fmt::Display;

use js_sys::Function;
use serde_json::{Map, Value};
use sluicegate::config::OnOutage;
use sluicegate::gateway::{LogSummary, SUMMARY_INTERVAL};
use sluicegate::limiter::breaker::{Change, Surroundings};
use sluicegate::time::Millis;
use wasm_bindgen::JsValue;

use super::js::now;

/// What the events of one summary have in common: the members of its line.
type Repeated = Vec<(&'static str, String)>;

/// The log of a gate.
pub(super) struct Log {
    /// Takes a line: JSON text.
    write: Function,
    /// The events whose summary is due later, with the last error.
    events: RefCell<LogSummary<Repeated, String>>,
}

impl Log {
    pub(super) fn new(write: Function) -> Self {
        Log { write, events: RefCell::new(LogSummary::new(MAX_KINDS)) }
    }

    /// Logs a failure. `what` names the part that failed.
    pub(super) fn failure(&self, what: &str, error: &dyn Display) {
        self.count(vec![("event", "failure".to_owned()), ("what", what.to_owned())], error.to_string());
    }

    /// Logs a failure of Redis, which the outage policy decided.
    pub(super) fn outage(&self, error: &dyn Display, policy: OnOutage) {
        let error = error.to_string();
        // The details behind the colon differ from request to request.
        let cause = error.split(": ").next().unwrap_or_default().to_owned();
        let policy = policy.name().to_owned();
        self.count(vec![("event", "outage".to_owned()), ("policy", policy), ("cause", cause)], error);
    }

    fn count(&self, repeated: Repeated, error: String) {
        let now = now();
        let due = self.events.borrow_mut().take(now);
        if let Some(due) = due {
            let others =
                (due.others > 0).then(|| (vec![("event", "other failures".to_owned())], due.others, String::new()));
            for (repeated, count, error) in due.keys.into_iter().chain(others) {
                let mut line = members(repeated, error);
                line.insert("count".to_owned(), count.into());
                line.insert("seconds".to_owned(), SUMMARY_INTERVAL.ceil_secs().into());
                self.line(line);
            }
        }
        let first = self.events.borrow_mut().count(&repeated, error, now);
        if let Some(error) = first {
            let mut line = members(repeated, error);
            line.insert("count".to_owned(), 1.into());
            self.line(line);
        }
    }

    fn line(&self, line: Map<String, Value>) {
        // A log that throws must not change a decision.
        let _ = self.write.call1(&JsValue::UNDEFINED, &Value::Object(line).to_string().into());
    }
}

impl Surroundings for Log {
    fn now(&self) -> Millis {
        now()
    }

    fn breaker_changed(&self, change: Change, cause: Option<&str>) {
        let mut line = members(vec![("event", "breaker".to_owned())], cause.unwrap_or_default().to_owned());
        let state = match change {
            Change::Opened(pause) => {
                line.insert("retry_ms".to_owned(), pause.get().into());
                "open"
            }
            Change::Closed => "closed",
            Change::StaysOpen(_) => return,
        };
        line.insert("state".to_owned(), state.into());
        self.line(line);
    }
}

fn members(repeated: Repeated, error: String) -> Map<String, Value> {
    let mut members: Map<_, _> = repeated.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    if !error.is_empty() {
        members.insert("error".to_owned(), error.into());
    }
    members
}

/// The most kinds of failures.
const MAX_KINDS: usize = 50;
