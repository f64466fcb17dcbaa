//! Decimal numbers as scaled integers, so that a sum of products is exact.

use crate::limit::MAX_INTEGER;

/// A number of 0 or more from a body, exact to nine decimals. Further decimals are rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u128);

/// The factor of a term: above 0, at most 1,000,000, with at most six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight(u128);

/// A weighted sum of amounts, exact. A sum that is too large to count is the largest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Total(u128);

impl Amount {
    /// Parses a JSON number. Returns `None` if it is negative, or not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (text, 0),
        };
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() {
            return None;
        }
        let mut scale = i64::from(AMOUNT_DECIMALS) + exponent - i64::try_from(fraction.len()).ok()?;
        let (mut digits, mut inexact) = (0_u128, false);
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            if digits < ENOUGH {
                digits = digits * 10 + u128::from(digit);
            } else {
                scale += 1;
                inexact |= digit > 0;
            }
        }
        if digits == 0 {
            return Some(Amount(0));
        }
        let power = 10_u128.checked_pow(u32::try_from(scale.unsigned_abs()).ok()?);
        let scaled = match (scale >= 0, power) {
            (true, power) => digits.saturating_mul(power.unwrap_or(u128::MAX)).saturating_add(u128::from(inexact)),
            (false, Some(power)) => digits / power + u128::from(inexact || digits % power > 0),
            (false, None) => 1,
        };
        (!negative).then_some(Amount(scaled))
    }

    /// Returns the number in whole units, rounded up, at most 2^53 - 1.
    #[must_use]
    pub fn ceil(self) -> u64 {
        units(self.0, AMOUNT_DECIMALS)
    }
}

/// Parses the digits after an `e`. An exponent that no cost needs is cut, which does not change the outcome.
fn exponent_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(sign * digits.parse::<i64>().unwrap_or(MAX_EXPONENT).min(MAX_EXPONENT))
}

impl Weight {
    /// The weight 1.
    pub const ONE: Weight = Weight(10_u128.pow(WEIGHT_DECIMALS));

    /// Parses a weight like `4` or `0.25`.
    ///
    /// # Errors
    /// Returns the problem.
    pub fn parse(text: &str) -> Result<Self, String> {
        let problem =
            || format!("expected a weight above 0 and up to {MAX_WEIGHT}, with at most six decimals, found {text:?}");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || fraction.len() > WEIGHT_DECIMALS as usize || whole.len() > 7 {
            return Err(problem());
        }
        let scaled = format!("{whole}{fraction:0<6}").parse().map_err(|_| problem())?;
        if scaled == 0 || scaled > MAX_WEIGHT * Weight::ONE.0 {
            return Err(problem());
        }
        Ok(Weight(scaled))
    }
}

impl Total {
    /// Adds a weighted amount.
    pub(super) fn add(&mut self, weight: Weight, amount: Amount) {
        self.0 = self.0.saturating_add(weight.0.saturating_mul(amount.0));
    }

    /// Returns the cost in whole units, rounded up once, at most 2^53 - 1.
    pub(super) fn ceil(self) -> u64 {
        units(self.0, AMOUNT_DECIMALS + WEIGHT_DECIMALS)
    }
}

fn units(scaled: u128, decimals: u32) -> u64 {
    let units = scaled.div_ceil(10_u128.pow(decimals));
    u64::try_from(units).unwrap_or(MAX_INTEGER).min(MAX_INTEGER)
}

/// The decimals of an amount.
const AMOUNT_DECIMALS: u32 = 9;

/// The decimals of a weight.
const WEIGHT_DECIMALS: u32 = 6;

/// The largest weight.
const MAX_WEIGHT: u128 = 1_000_000;

/// A mantissa above this has all digits that a cost can have.
const ENOUGH: u128 = 10_u128.pow(30);

/// Any number with a larger exponent is above the largest cost, or below the smallest.
const MAX_EXPONENT: i64 = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ceil(text: &str) -> Option<u64> {
        Amount::parse(text).map(Amount::ceil)
    }

    #[test]
    fn json_numbers_are_rounded_up() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0e5", Some(0)),
            ("17", Some(17)),
            ("17.0", Some(17)),
            ("17.000000001", Some(18)),
            ("0.0000000000000000000000000000000000000000000000001", Some(1)),
            ("1e3", Some(1000)),
            ("1.5E+1", Some(15)),
            ("15e-1", Some(2)),
            ("9007199254740991", Some(MAX_INTEGER)),
            ("9007199254740992", Some(MAX_INTEGER)),
            ("1e999999999999999999999", Some(MAX_INTEGER)),
            ("1e-999999999999999999999", Some(1)),
            ("0e999999999999999999999", Some(0)),
            ("-1", None),
            ("-1e-99", None),
            ("", None),
            ("1e", None),
            ("1e+-1", None),
            (".5", None),
            ("1x", None),
        ] {
            assert_eq!(ceil(text), expected, "{text}");
        }
    }

    #[test]
    fn weights_are_decimal_and_bounded() {
        for text in ["4", "0.25", "1000000", "0.000001", "1.50"] {
            assert!(Weight::parse(text).is_ok(), "{text}");
        }
        for text in ["", "0", "0.0", "-1", "1e3", "1.", ".5", "1.0000001", "1000000.1", "99999999", "+1", "١"] {
            assert!(Weight::parse(text).is_err(), "{text}");
        }
        assert_eq!(Weight::parse("1"), Ok(Weight::ONE));
    }

    #[test]
    fn a_sum_is_exact_and_rounded_once() {
        let sum = |terms: &[(&str, &str)]| {
            let mut total = Total::default();
            for (weight, amount) in terms {
                total.add(Weight::parse(weight).unwrap(), Amount::parse(amount).unwrap());
            }
            total.ceil()
        };
        // In binary floating point this is 3.0000000000000004.
        assert_eq!(sum(&[("0.1", "10"), ("0.2", "10")]), 3);
        assert_eq!(sum(&[("0.1", "1"), ("0.1", "1")]), 1);
        assert_eq!(sum(&[("1", "10"), ("4", "3")]), 22);
        assert_eq!(sum(&[("1000000", "0.00031")]), 310);
        assert_eq!(sum(&[("1000000", "9007199254740991"), ("1000000", "1e30")]), MAX_INTEGER);
        assert_eq!(sum(&[]), 0);
    }

    proptest! {
        #[test]
        fn whole_numbers_stay_as_they_are(number in 0..=MAX_INTEGER, zeros in 0..20_usize) {
            prop_assert_eq!(ceil(&number.to_string()), Some(number));
            prop_assert_eq!(ceil(&format!("{number}.{}", "0".repeat(zeros + 1))), Some(number));
            prop_assert_eq!(ceil(&format!("{number}{}e-{zeros}", "0".repeat(zeros))), Some(number));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[-+0-9.eE]{0,80}") {
            let _ = Amount::parse(&text);
            let _ = Weight::parse(&text);
        }
    }
}
