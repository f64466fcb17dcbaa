//! The recorded usage of one tenant, as stored in Redis.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::day::Day;
use super::reading::{Generation, Reading};

/// The usage of one tenant, day by day, and how far the usage meters are counted.
///
/// As JSON: `{"v":1,"life":…,"through":…,"day":"2026-11-22","days":{"2026-11-22":123}}`, where `life` is the
/// generation. Everything is one value, written at once, so nothing is counted twice or left out if a writer
/// dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    /// The generation of the meters that `through` counts.
    generation: Option<Generation>,
    /// The units that this generation had counted up to the end of `day`.
    through: u64,
    /// The newest closed day.
    day: Day,
    /// The units of each day. Days without usage are absent.
    days: BTreeMap<Day, u64>,
}

/// Why a text is not a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}")]
pub(super) struct Unreadable {
    field: &'static str,
    expected: &'static str,
}

impl Ledger {
    /// Returns the ledger of a tenant without one, before the generation of its meters is named.
    pub(super) fn new(day: Day) -> Self {
        Ledger { generation: None, through: 0, day: day.before(), days: BTreeMap::new() }
    }

    /// Returns the ledger of a tenant whose ledger expired. How far that one had counted is unknown, so all
    /// usage before today is left out.
    fn expired(reading: &Reading) -> Self {
        let (through, day) = (reading.usage.before_today(), reading.day.before());
        Ledger { generation: reading.generation, through, day, days: BTreeMap::new() }
    }

    /// Returns the stored ledger, or the one to start with at `reading`.
    pub(super) fn of(stored: Option<Ledger>, reading: &Reading) -> Self {
        match stored {
            Some(ledger) => ledger,
            None if reading.generation.is_some() => Ledger::expired(reading),
            None => Ledger::new(reading.day),
        }
    }

    /// Closes all days before the day of the reading.
    ///
    /// Usage since the newest closed day counts on the newest day closed now. If more was refunded than used
    /// since, the difference comes off the newest days that have units.
    pub(super) fn close(&mut self, reading: &Reading) {
        let yesterday = reading.day.before();
        if yesterday < self.day {
            // This clock is behind an earlier one: the day is closed already.
            return;
        }
        let (counted, used) = (self.counted(reading), reading.usage.before_today());
        if used > counted {
            let units = self.days.entry(yesterday).or_default();
            *units = units.saturating_add(used - counted);
        } else {
            self.refund(counted - used);
        }
        (self.generation, self.through, self.day) = (reading.generation, used, yesterday);
        self.days = self.days.split_off(&yesterday.back(DAYS - 1));
    }

    /// Returns whether to write this ledger over `stored`: if it differs, or once a week so that it does not
    /// expire.
    pub(super) fn needs_write(&self, stored: Option<&Ledger>) -> bool {
        let same = |stored: &Ledger| {
            (stored.generation, stored.through, &stored.days) == (self.generation, self.through, &self.days)
        };
        stored.is_none_or(|stored| !same(stored) || stored.day <= self.day.back(7))
    }

    /// Returns the days with usage and their units, the newest first.
    pub(super) fn days(&self) -> impl Iterator<Item = (Day, u64)> {
        self.days.iter().rev().map(|(day, units)| (*day, *units))
    }

    /// Returns how many units of the reading the ledger has counted: after a reset, none.
    fn counted(&self, reading: &Reading) -> u64 {
        if self.generation == reading.generation { self.through } else { 0 }
    }

    fn refund(&mut self, units: u64) {
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
        let generation = self.generation.map(Generation::number);
        json!({ "v": VERSION, "life": generation, "through": self.through, "day": self.day, "days": days }).to_string()
    }

    pub(super) fn from_json(text: &str) -> Result<Self, Unreadable> {
        let wrong = |field, expected| Unreadable { field, expected };
        let value: Value = serde_json::from_str(text).map_err(|_| wrong("(all)", "JSON"))?;
        let field = |name| value.get(name).unwrap_or(&Value::Null);
        if field("v") != VERSION {
            return Err(wrong("v", "1"));
        }
        let generation = match field("life") {
            Value::Null => None,
            number => {
                let generation = number.as_u64().and_then(Generation::from_number);
                Some(generation.ok_or_else(|| wrong("life", "null or a number from 2^52 on"))?)
            }
        };
        let through = field("through").as_u64().ok_or_else(|| wrong("through", "a number of units"))?;
        let day = |text: &str| text.parse().ok();
        let newest: Day = field("day").as_str().and_then(day).ok_or_else(|| wrong("day", "a day"))?;
        let days = field("days").as_object().ok_or_else(|| wrong("days", "an object"))?;
        let kept = |day: &Day| (newest.back(DAYS - 1)..=newest).contains(day);
        let entry =
            |(name, units): (&String, &Value)| day(name).filter(kept).zip(units.as_u64().filter(|units| *units > 0));
        let days: Option<_> = days.iter().map(entry).collect();
        let days = days.ok_or_else(|| wrong("days", "units above 0 by day, of the 90 days up to the newest"))?;
        Ok(Ledger { generation, through, day: newest, days })
    }
}

const VERSION: u64 = 1;

/// The number of days in a ledger.
pub(super) const DAYS: u64 = 90;

#[cfg(test)]
mod tests;
