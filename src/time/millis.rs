//! The only time type: whole milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of milliseconds: a duration, or an instant since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(u64);

impl Millis {
    /// Zero milliseconds.
    pub const ZERO: Millis = Millis(0);
    /// 24 hours.
    pub const DAY: Millis = Millis::from_secs(86_400);

    /// Creates a time of `ms` milliseconds.
    #[must_use]
    pub const fn new(ms: u64) -> Self {
        Millis(ms)
    }

    /// Creates a time of `seconds` seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Millis(seconds * 1000)
    }

    /// Returns the number of milliseconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns this time and `other` together, or the longest time that there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Millis(self.0.saturating_add(other.0))
    }

    /// Returns how much longer or later this time is than `other`: zero if it is not.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Millis(self.0.saturating_sub(other.0))
    }

    /// Returns the number of seconds, rounded up: a client that waits this long never retries too early.
    #[must_use]
    pub const fn ceil_secs(self) -> u64 {
        self.0.div_ceil(1000)
    }
}

impl From<Millis> for Duration {
    fn from(ms: Millis) -> Self {
        Duration::from_millis(ms.0)
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// Prints a duration with the largest unit that divides it, for example `90s` or `250ms`. Parses back to the
/// same value.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            UNITS.into_iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)).unwrap_or(("ms", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

/// The error of a text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration like \"10s\" (units: ms, s, m, h, d), found {found:?}")]
pub struct InvalidDuration {
    found: String,
}

/// Parses a whole number followed by a unit, without a space: `250ms`, `10s`, `1m`, `1h`, `1d`.
impl FromStr for Millis {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let error = || InvalidDuration { found: text.to_owned() };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(error)?;
        let number: u64 = number.parse().map_err(|_| error())?;
        let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        number.checked_mul(size).map(Millis).ok_or_else(error)
    }
}

/// The units of a duration with their length in milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_durations() {
        for (text, ms) in [("250ms", 250), ("10s", 10_000), ("1m", 60_000), ("2h", 7_200_000), ("1d", 86_400_000)] {
            assert_eq!(text.parse(), Ok(Millis::new(ms)), "{text}");
        }
    }

    #[test]
    fn rejects_invalid_durations() {
        for text in [
            "",
            "ten",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 s",
            "10S",
            "1w",
            "99999999999999999999s",
            "999999999999999999d",
            "１s",
        ] {
            let error = text.parse::<Millis>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn seconds_round_up() {
        let secs: Vec<u64> = [0, 1, 999, 1000, 1001].map(|ms| Millis::new(ms).ceil_secs()).into();
        assert_eq!(secs, [0, 1, 1, 1, 2]);
    }

    #[test]
    fn sums_and_differences_stay_in_range() {
        let [one, last] = [Millis::new(1), Millis::new(u64::MAX)];
        assert_eq!([Millis::new(2).saturating_add(one), last.saturating_add(one)], [Millis::new(3), last]);
        assert_eq!([Millis::new(3).saturating_sub(one), one.saturating_sub(last)], [Millis::new(2), Millis::ZERO]);
    }

    proptest! {
        #[test]
        fn display_parses_back(ms in any::<u64>()) {
            prop_assert_eq!(Millis::new(ms).to_string().parse(), Ok(Millis::new(ms)));
        }
    }
}
