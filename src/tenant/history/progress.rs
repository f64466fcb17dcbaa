//! How far the recorders have come with a day.

use serde_json::{Value, json};

use super::day::Day;
use crate::tenant::id::TenantId;

/// A round through all tenants, which closes one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Round {
    /// The day that is closed.
    pub(super) day: Day,
    /// How far it has come.
    pub(super) place: Place,
}

/// A place in the list of tenants. It is where to go on, not what is done: a tenant that is met twice is
/// recorded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At the first tenant.
    Beginning,
    /// Behind this tenant.
    After(TenantId),
    /// At the end.
    End,
}

impl Round {
    /// The round that closes `day`, where `stored` says how far an earlier recorder has come. A text that is none
    /// begins anew.
    pub(super) fn of(day: Day, stored: Option<&str>) -> Self {
        match stored.and_then(Round::from_json) {
            Some(round) if round.day >= day => round,
            _ => Round { day, place: Place::Beginning },
        }
    }

    /// Whether nothing is left to do for a recorder to whom `yesterday` was yesterday.
    pub(super) fn is_over(&self, yesterday: Day) -> bool {
        self.place == Place::End || self.day > yesterday
    }

    /// Its name among the values of the lock. No tenant has it.
    pub(super) const NAME: &str = "_round";

    pub(super) fn to_json(&self) -> String {
        let (after, end) = match &self.place {
            Place::Beginning => (None, false),
            Place::After(id) => (Some(id.as_str()), false),
            Place::End => (None, true),
        };
        json!({ "v": 1, "day": self.day, "after": after, "end": end }).to_string()
    }

    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let day = value.get("day")?.as_str()?.parse().ok()?;
        let place = match (value.get("after")?, value.get("end")?.as_bool()?) {
            (_, true) => Place::End,
            (Value::String(id), _) => Place::After(TenantId::new(id).ok()?),
            _ => Place::Beginning,
        };
        Some(Round { day, place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_reads_back_and_goes_on_where_it_was() {
        let day: Day = "2026-11-22".parse().unwrap();
        for place in [Place::Beginning, Place::After(TenantId::new("acme").unwrap()), Place::End] {
            let round = Round { day, place };
            let text = round.to_json();
            assert_eq!(Round::of(day, Some(&text)), round);
            assert!(Round::of(day.before(), Some(&text)).is_over(day.before()), "the other clock is ahead");
            assert_eq!(round.is_over(day), round.place == Place::End);
            let next: Day = "2026-11-23".parse().unwrap();
            assert_eq!(Round::of(next, Some(&text)), Round { day: next, place: Place::Beginning });
        }
    }

    #[test]
    fn what_is_no_round_begins_anew() {
        let day: Day = "2026-11-22".parse().unwrap();
        let beginning = Round { day, place: Place::Beginning };
        for stored in [None, Some(""), Some("{}"), Some(r#"{"v":1,"day":"2026-11-22","after":"A B","end":false}"#)] {
            assert_eq!(Round::of(day, stored), beginning);
        }
    }
}
