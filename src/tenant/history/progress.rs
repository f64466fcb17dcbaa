//! How far the recorders have come in closing a day.

use serde_json::{Value, json};

use super::day::Day;
use crate::tenant::id::TenantId;

/// The progress of a round through all tenants, which closes one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// The day to close.
    pub(super) day: Day,
    /// Where to continue.
    pub(super) position: Position,
}

/// Where to continue in the list of tenants. A tenant may be processed twice, but is counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// At the first tenant.
    Start,
    /// After this tenant.
    After(TenantId),
    /// All tenants are done.
    End,
}

impl Progress {
    /// Returns the progress in closing `day`, from what an earlier recorder `stored`. An invalid text starts
    /// over.
    pub(super) fn of(day: Day, stored: Option<&str>) -> Self {
        match stored.and_then(Progress::from_json) {
            Some(progress) if progress.day >= day => progress,
            _ => Progress { day, position: Position::Start },
        }
    }

    /// Returns whether nothing is left to do for a recorder that sees `yesterday` as the day before.
    pub(super) fn is_over(&self, yesterday: Day) -> bool {
        self.position == Position::End || self.day > yesterday
    }

    /// The name of the lock's value that stores it. It is not a valid tenant id.
    pub(super) const VALUE_NAME: &str = "_round";

    pub(super) fn to_json(&self) -> String {
        let (after, end) = match &self.position {
            Position::Start => (None, false),
            Position::After(id) => (Some(id.as_str()), false),
            Position::End => (None, true),
        };
        json!({ "v": 1, "day": self.day, "after": after, "end": end }).to_string()
    }

    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let day = value.get("day")?.as_str()?.parse().ok()?;
        let position = match (value.get("after")?, value.get("end")?.as_bool()?) {
            (_, true) => Position::End,
            (Value::String(id), _) => Position::After(TenantId::new(id).ok()?),
            _ => Position::Start,
        };
        Some(Progress { day, position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_round_trips_and_a_new_day_starts_over() {
        let day: Day = "2026-11-22".parse().unwrap();
        for position in [Position::Start, Position::After(TenantId::new("acme").unwrap()), Position::End] {
            let progress = Progress { day, position };
            let text = progress.to_json();
            assert_eq!(Progress::of(day, Some(&text)), progress);
            assert!(
                Progress::of(day.before(), Some(&text)).is_over(day.before()),
                "the other recorder's clock is ahead"
            );
            assert_eq!(progress.is_over(day), progress.position == Position::End);
            let next: Day = "2026-11-23".parse().unwrap();
            assert_eq!(Progress::of(next, Some(&text)), Progress { day: next, position: Position::Start });
        }
    }

    #[test]
    fn invalid_progress_starts_over() {
        let day: Day = "2026-11-22".parse().unwrap();
        let start = Progress { day, position: Position::Start };
        for stored in [None, Some(""), Some("{}"), Some(r#"{"v":1,"day":"2026-11-22","after":"A B","end":false}"#)] {
            assert_eq!(Progress::of(day, stored), start);
        }
    }
}
