//! Calendar months in UTC.
//!
//! Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days` and
//! `days_from_civil`. Years begin in March there, so the leap day is the last day of a year. An era is 400
//! years and always has the same number of days.

use crate::time::Millis;

/// Returns the end of the month that contains `time`; both in milliseconds since 1970-01-01, UTC.
#[must_use]
pub fn end_of_month(time: u64) -> u64 {
    let (year, month) = month_of(time / MS_PER_DAY);
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    first_day(year, month).saturating_mul(MS_PER_DAY)
}

/// Returns the year and the month, 1 to 12, of a day counted from 1970-01-01.
fn month_of(day: u64) -> (u64, u64) {
    let day = day + DAYS_TO_1970;
    let era = day / DAYS_PER_ERA;
    let day_of_era = day % DAYS_PER_ERA;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    (year, month)
}

/// Returns the first day of a month of 1970 or later, counted from 1970-01-01.
fn first_day(year: u64, month: u64) -> u64 {
    let (year, from_march) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * from_march + 2) / 5;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    DAYS_PER_ERA * era + day_of_era - DAYS_TO_1970
}

const MS_PER_DAY: u64 = Millis::DAY.get();
const DAYS_PER_ERA: u64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_ends_match_the_date_command() {
        // In seconds: `date -u -d 1970-02-01 +%s` and so on.
        for (time, end) in [
            (0, 2_678_400),
            (2_678_399, 2_678_400),
            (2_678_400, 5_097_600),
            // 2023-12-31 23:59:59 to 2024-01-01, and 2024-01-01 to 2024-02-01.
            (1_704_067_199, 1_704_067_200),
            (1_704_067_200, 1_706_745_600),
            // 2024 has a leap day: 2024-02-28 and 2024-02-29 to 2024-03-01.
            (1_709_078_400, 1_709_251_200),
            (1_709_164_800, 1_709_251_200),
            // 2023 has none: 2023-02-28 to 2023-03-01.
            (1_677_542_400, 1_677_628_800),
            // 2000 has one, 2100 has none: 2000-02-29 to 2000-03-01, 2100-02-28 to 2100-03-01.
            (951_782_400, 951_868_800),
            (4_107_456_000, 4_107_542_400),
        ] {
            assert_eq!(end_of_month(time * 1000), end * 1000, "{time}");
            assert_eq!(end_of_month(time * 1000 + 999), end * 1000, "{time}.999");
        }
    }

    /// Checks 400 years, month by month, against the Gregorian leap year rule.
    #[test]
    fn every_month_has_its_number_of_days() {
        let mut start = 0;
        for year in 1970..2370 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if leap { 29 } else { 28 };
            for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                let end = start + days * MS_PER_DAY;
                assert_eq!((end_of_month(start), end_of_month(end - 1)), (end, end), "{year}");
                start = end;
            }
        }
    }

    #[test]
    fn the_last_instant_does_not_overflow() {
        assert_eq!(end_of_month(u64::MAX), u64::MAX);
        assert!(end_of_month((1 << 53) - 1) > (1 << 53) - 1);
    }
}
