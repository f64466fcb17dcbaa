//! The history of one tenant, as it stands in Redis.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::day::Day;
use super::reading::{Generation, Reading};

/// What one tenant used, day by day, and how far the meters are counted.
///
/// As JSON: `{"v":1,"life":…,"through":…,"day":"2026-11-22","days":{"2026-11-22":123}}`. The units of `days` and how
/// far the meters are counted are one value, written at once: so nothing is ever counted twice or left out,
/// wherever a writer dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Which life of the meters `through` counts.
    life: Option<Generation>,
    /// What that life of the meters had counted up to the end of `day`.
    through: u64,
    /// The newest day that is over for this ledger.
    day: Day,
    /// The units of each day. Days without any are absent.
    days: BTreeMap<Day, u64>,
}

/// A text that is no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}")]
pub(super) struct Unreadable {
    field: &'static str,
    expected: &'static str,
}

impl Ledger {
    /// The ledger of a tenant that has none, before the life of its meters has a name.
    pub(super) fn new(day: Day) -> Self {
        Ledger { life: None, through: 0, day: day.before(), days: BTreeMap::new() }
    }

    /// The ledger of a tenant whose own has expired: how far that one had counted is not known, so all that was used
    /// until today stays out.
    fn expired(reading: &Reading) -> Self {
        let (through, day) = (reading.usage.before_today(), reading.day.before());
        Ledger { life: reading.life, through, day, days: BTreeMap::new() }
    }

    /// The ledger to go on with after `reading`, whether there is one or not.
    pub(super) fn of(stored: Option<Ledger>, reading: &Reading) -> Self {
        match stored {
            Some(ledger) => ledger,
            None if reading.life.is_some() => Ledger::expired(reading),
            None => Ledger::new(reading.day),
        }
    }

    /// Closes all days before the one that the meters are in.
    ///
    /// What was used since the newest day of the ledger counts for the newest that is closed now. If more was given
    /// back than used in between, it comes off the newest days that have units.
    pub(super) fn close(&mut self, reading: &Reading) {
        let yesterday = reading.day.before();
        if yesterday < self.day {
            // A clock behind the one before: its yesterday is closed.
            return;
        }
        let (counted, used) = (self.counted(reading), reading.usage.before_today());
        if used > counted {
            let units = self.days.entry(yesterday).or_default();
            *units = units.saturating_add(used - counted);
        } else {
            self.take_back(counted - used);
        }
        (self.life, self.through, self.day) = (reading.life, used, yesterday);
        self.days = self.days.split_off(&yesterday.back(DAYS - 1));
    }

    /// Whether storing this ledger in place of `stored` says anything new. Without news it is stored once a week, so
    /// that it does not expire.
    pub(super) fn is_news(&self, stored: Option<&Ledger>) -> bool {
        let same =
            |stored: &Ledger| (stored.life, stored.through, &stored.days) == (self.life, self.through, &self.days);
        stored.is_none_or(|stored| !same(stored) || stored.day <= self.day.back(7))
    }

    /// The units of each day that has any, the newest first.
    pub(super) fn days(&self) -> impl Iterator<Item = (Day, u64)> {
        self.days.iter().rev().map(|(day, units)| (*day, *units))
    }

    /// How much of what the meters say is in the ledger: after a reset, nothing.
    fn counted(&self, reading: &Reading) -> u64 {
        if self.life == reading.life { self.through } else { 0 }
    }

    fn take_back(&mut self, units: u64) {
        let mut left = units;
        for day in self.days.values_mut().rev() {
            let taken = left.min(*day);
            *day -= taken;
            left -= taken;
        }
        self.days.retain(|_, units| *units > 0);
    }

    pub(super) fn to_json(&self) -> String {
        let days: serde_json::Map<_, _> =
            self.days.iter().map(|(day, units)| (day.to_string(), (*units).into())).collect();
        let life = self.life.map(Generation::number);
        json!({ "v": VERSION, "life": life, "through": self.through, "day": self.day, "days": days }).to_string()
    }

    pub(super) fn from_json(text: &str) -> Result<Self, Unreadable> {
        let wrong = |field, expected| Unreadable { field, expected };
        let value: Value = serde_json::from_str(text).map_err(|_| wrong("(all)", "JSON"))?;
        let field = |name| value.get(name).unwrap_or(&Value::Null);
        if field("v") != VERSION {
            return Err(wrong("v", "1"));
        }
        let life = match field("life") {
            Value::Null => None,
            number => {
                let life = number.as_u64().and_then(Generation::from_number);
                Some(life.ok_or_else(|| wrong("life", "null or a number from 2^52 on"))?)
            }
        };
        let through = field("through").as_u64().ok_or_else(|| wrong("through", "a number of units"))?;
        let day = |text: &str| text.parse().ok();
        let newest = field("day").as_str().and_then(day).ok_or_else(|| wrong("day", "a day"))?;
        let days = field("days").as_object().ok_or_else(|| wrong("days", "an object"))?;
        let entry = |(name, units): (&String, &Value)| day(name).zip(units.as_u64());
        let days: Option<_> = days.iter().map(entry).collect();
        Ok(Ledger { life, through, day: newest, days: days.ok_or_else(|| wrong("days", "units by day"))? })
    }
}

const VERSION: u64 = 1;

/// How many days are kept.
pub(super) const DAYS: u64 = 90;

#[cfg(test)]
mod tests;
