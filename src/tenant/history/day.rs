//! Days in UTC, written as `2026-11-22`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::time::{Millis, Timestamp};

/// A day in UTC, from 1970-01-01 to 9999-12-31.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u64);

impl Day {
    /// Returns the day of `time`, since the Unix epoch.
    #[must_use]
    pub fn of(time: Millis) -> Self {
        Day((time.get() / MS_A_DAY).min(LAST))
    }

    /// Returns the day before; for the first day, the day itself.
    #[must_use]
    pub fn before(self) -> Self {
        self.back(1)
    }

    /// Returns the day that is `days` earlier, or the first day if there is none.
    #[must_use]
    pub fn back(self, days: u64) -> Self {
        Day(self.0.saturating_sub(days))
    }

    /// Returns the number of the day, counted from 1970-01-01, which is 0.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// Returns the first instant of the day, since the Unix epoch.
    #[must_use]
    pub fn begins(self) -> Millis {
        Millis::new(self.0 * MS_A_DAY)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::new(self.begins()).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a day like \"2026-11-22\", found {found:?}")]
pub struct NotADay {
    found: String,
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let midnight = format!("{text}T00:00:00Z").parse().ok();
        let day = midnight.map(|midnight: Timestamp| Day::of(midnight.millis()));
        day.filter(|day| day.to_string() == text).ok_or_else(|| NotADay { found: text.chars().take(80).collect() })
    }
}

const MS_A_DAY: u64 = Millis::DAY.get();
/// 9999-12-31.
const LAST: u64 = 2_932_896;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_are_in_utc() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(Day::of(Millis::ZERO).to_string(), "1970-01-01");
        // `date -u -d 2026-11-22 +%s`.
        assert_eq!(day("2026-11-22").begins(), Millis::from_secs(1_795_305_600));
        assert_eq!(Day::of(Millis::new(1_795_305_600_000 - 1)), day("2026-11-21"));
        assert_eq!(day("2024-03-01").before(), day("2024-02-29"));
        assert_eq!(day("1970-01-01").before(), day("1970-01-01"));
        assert_eq!(Day::of(Millis::new(u64::MAX)).to_string(), "9999-12-31");
    }

    #[test]
    fn invalid_days_are_refused() {
        for text in ["", "2026", "2026-2-3", "2026-02-30", "2026-11-22T00:00:00Z", "2026-11-22T", " 2026-11-22"] {
            let error = text.parse::<Day>().unwrap_err();
            assert!(error.to_string().ends_with(&format!("found {text:?}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn days_round_trip(number in 0..=LAST) {
            prop_assert_eq!(Day(number).to_string().parse(), Ok(Day(number)));
        }
    }
}
