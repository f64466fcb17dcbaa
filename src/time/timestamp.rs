//! Instants as text in RFC 3339.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use super::millis::Millis;

/// An instant from 1970 to the end of the year 9999, in milliseconds.
///
/// Parses any offset (`2026-12-01T02:00:00+02:00`) and any fraction, truncated to milliseconds. Prints UTC,
/// with three decimals unless they are zero: `2026-12-01T00:00:00Z`. A leap second is parsed as the second
/// before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Millis);

impl Timestamp {
    /// Creates the instant `millis` after the Unix epoch. Later instants than the end of the year 9999 become
    /// that end.
    #[must_use]
    pub fn new(millis: Millis) -> Self {
        Timestamp(millis.min(END))
    }

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(self) -> Millis {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = SystemTime::UNIX_EPOCH + Duration::from(self.0);
        if self.0.get().is_multiple_of(1000) {
            humantime::format_rfc3339_seconds(time).fmt(f)
        } else {
            humantime::format_rfc3339_millis(time).fmt(f)
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The error of a text that is not a timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time like \"2026-12-01T00:00:00Z\" (RFC 3339, from 1970 on), found {found:?}")]
pub struct InvalidTimestamp {
    found: String,
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        parse(text).map(Timestamp).ok_or_else(|| InvalidTimestamp { found: text.chars().take(MAX_SHOWN).collect() })
    }
}

fn parse(text: &str) -> Option<Millis> {
    let (local, offset) = split_offset(text)?;
    // humantime checks only the first characters after the seconds.
    let fraction = local.get(SECONDS_END..)?;
    let digits = fraction.strip_prefix('.');
    let valid = digits
        .map_or(fraction.is_empty(), |digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
    if !valid {
        return None;
    }
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let utc = Millis::new(u64::try_from(since_epoch.as_millis()).ok()?.checked_add_signed(-offset)?);
    (utc <= END).then_some(utc)
}

/// Splits off the offset from UTC, and returns it in milliseconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, 0));
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let number = |digits: &[u8], max| {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = digits else { return None };
        let number = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        (number <= max).then_some(number)
    };
    let [sign @ (b'+' | b'-'), hours @ .., b':', _, _] = offset.as_bytes() else { return None };
    let minutes = number(hours, 23)? * 60 + number(offset.as_bytes().get(4..)?, 59)?;
    Some((local, if *sign == b'-' { -minutes } else { minutes } * 60_000))
}

/// The index after the seconds in `2026-12-01T00:00:00`.
const SECONDS_END: usize = 19;

/// 9999-12-31T23:59:59.999Z: an RFC 3339 year has four digits.
const END: Millis = Millis::new(253_402_300_799_999);

/// The number of characters of an invalid text that the error shows.
const MAX_SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_and_prints() {
        // In seconds: `date -u -d 2026-12-01 +%s`.
        for (text, ms, printed) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2026-12-01T00:00:00Z", 1_796_083_200_000, "2026-12-01T00:00:00Z"),
            ("2026-12-01T00:00:00.5Z", 1_796_083_200_500, "2026-12-01T00:00:00.500Z"),
            ("2026-12-01T00:00:00.1239999999999Z", 1_796_083_200_123, "2026-12-01T00:00:00.123Z"),
            ("2026-12-01T02:30:00+02:30", 1_796_083_200_000, "2026-12-01T00:00:00Z"),
            ("2026-11-30T19:00:00.001-05:00", 1_796_083_200_001, "2026-12-01T00:00:00.001Z"),
            ("2024-02-29T00:00:00-00:00", 1_709_164_800_000, "2024-02-29T00:00:00Z"),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000, "2016-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59.999Z", END.get(), "9999-12-31T23:59:59.999Z"),
        ] {
            let timestamp: Timestamp = text.parse().unwrap();
            assert_eq!(timestamp.millis(), Millis::new(ms), "{text}");
            assert_eq!(timestamp.to_string(), printed);
        }
    }

    #[test]
    fn rejects_invalid_timestamps() {
        for text in [
            "",
            "Z",
            "+00:00",
            "2026-12-01",
            "2026-12-01T00:00:00",
            "2026-12-01 00:00:00Z",
            "2026-12-01T00:00Z",
            "2026-12-01T00:00:00ZZ",
            "2026-12-01T00:00:00Z Z",
            "2026-12-01T00:00:00.Z",
            "2026-12-01T00:00:00.+00:00",
            "2026-12-01T00:00:00.1.2Z",
            "2026-12-01T00:00:00+24:00",
            "2026-12-01T00:00:00+01:60",
            "2026-12-01T00:00:00+1:000",
            "2026-12-01T00:00:00+0100",
            "2026-12-01T00:00:00 01:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-12-00T00:00:00Z",
            "2026-12-01T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "02026-12-01T00:00:00Z",
            "２026-12-01T00:00:00Z",
            "2026-12-01T00:00:0éZ",
            "2026-12-01T00:00:00é:00",
        ] {
            let error = text.parse::<Timestamp>().unwrap_err();
            assert!(error.to_string().ends_with(&format!("found {text:?}")), "{error}");
        }
    }

    #[test]
    fn later_instants_become_the_end() {
        assert_eq!(Timestamp::new(Millis::new(u64::MAX)).to_string(), "9999-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn display_parses_back(ms in 0..=END.get(), whole in any::<bool>()) {
            let timestamp = Timestamp::new(Millis::new(if whole { ms / 1000 * 1000 } else { ms }));
            prop_assert_eq!(timestamp.to_string().parse(), Ok(timestamp));
            prop_assert_eq!(timestamp.to_string().len(), if timestamp.0.get().is_multiple_of(1000) { 20 } else { 24 });
        }

        #[test]
        fn parsing_never_panics(text in "\\PC*|[0-9TZ:.+-]{15,40}") {
            let _ = text.parse::<Timestamp>();
        }

        #[test]
        fn the_offset_is_subtracted(ms in 100_000_000..END.get() - 100_000_000, minutes in -1439_i64..=1439) {
            let local = Timestamp::new(Millis::new(ms.checked_add_signed(minutes * 60_000).unwrap())).to_string();
            let sign = if minutes < 0 { '-' } else { '+' };
            let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
            let text = format!("{}{sign}{hours:02}:{rest:02}", local.trim_end_matches('Z'));
            prop_assert_eq!(text.parse(), Ok(Timestamp::new(Millis::new(ms))));
        }
    }
}
