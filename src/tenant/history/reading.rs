//! Reads a tenant's usage meters, and the generation that distinguishes a reset from a refund.
//!
//! A reset sets the meters to 0, and they grow again; from the numbers alone this looks like a refund. So the
//! meters have a generation, a random number under a key that a reset deletes in the same call. For `check.lua`
//! it is a sliding log with one entry, with the number as its cost. So one call reads the meters and their
//! generation atomically. A second entry would exceed the log's limit, so a late writer cannot change the
//! generation: only a reset can.

use super::day::Day;
use crate::limit::usage::{self, Usage};
use crate::limit::{Limit, MAX_INTEGER, Subject};
use crate::limiter::{Limiter, Now};
use crate::redis::{self, Argument, RedisError, Transport, script};
use crate::time::Millis;

/// The usage meters of one subject at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The current day of the meters.
    pub(super) day: Day,
    /// The usage.
    pub(super) usage: Usage,
    /// The generation of the meters; `None` if it is not named yet.
    pub(super) generation: Option<Generation>,
}

/// The generation of a subject's meters, which lasts from one reset to the next.
///
/// Its number is 2^52 to 2^53 - 1, so that two do not fit into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Generation {
    /// Creates a generation from the upper 52 bits of `random`.
    pub(super) fn new(random: u64) -> Self {
        Generation(MIN | (random >> 12))
    }

    /// Returns the generation with this number, if it is valid.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        (MIN..=MAX_INTEGER).contains(&number).then_some(Generation(number))
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// Reads the meters.
pub(super) async fn read<T: Transport>(
    limiter: &Limiter<T>,
    subject: &Subject,
    now: Millis,
) -> Result<Reading, RedisError> {
    let meters = usage::meters();
    let mut arguments = vec![Now::At(now).argument(), Argument::Number(3)];
    arguments.extend(meters.iter().flat_map(meter_arguments));
    arguments.extend(GENERATION_LIMIT);
    arguments.extend(ONE_REQUEST);
    arguments.push(Argument::Number(0));
    decode(now, &check(limiter, subject, &arguments).await?)
}

/// Names the generation of the meters, unless it has a name.
pub(super) async fn name<T: Transport>(
    limiter: &Limiter<T>,
    subject: &Subject,
    generation: Generation,
    now: Millis,
) -> Result<(), RedisError> {
    let mut arguments = vec![Now::At(now).argument(), Argument::Number(1)];
    arguments.extend(GENERATION_LIMIT);
    arguments.extend(ONE_REQUEST);
    arguments.push(Argument::Number(generation.number()));
    // The verdict does not matter: the next reading returns the generation.
    check::<T, [i64; 5]>(limiter, subject, &arguments).await.map(drop)
}

/// Returns the key of a subject's generation.
pub(super) fn generation_key(subject: &Subject) -> String {
    format!("{}:life", subject.state_key())
}

async fn check<T: Transport, A: serde::de::DeserializeOwned>(
    limiter: &Limiter<T>,
    subject: &Subject,
    arguments: &[Argument<'_>],
) -> Result<A, RedisError> {
    let keys = [subject.state_key(), generation_key(subject)];
    redis::eval(limiter.transport(), script::CHECK.in_dialect(limiter.dialect()), &keys, arguments).await
}

/// Returns a meter as arguments of `check.lua`.
fn meter_arguments(meter: &Limit) -> [Argument<'_>; 4] {
    let window = meter.window().unwrap_or_default();
    [
        Argument::Text(meter.name().as_str()),
        Argument::Text("fixed_window"),
        Argument::Number(window.get()),
        Argument::Number(meter.quota()),
    ]
}

fn decode(now: Millis, numbers: &[i64; 11]) -> Result<Reading, RedisError> {
    let shape =
        || RedisError::Shape { reason: format!("unexpected reply of check.lua to a meter reading: {numbers:?}") };
    let whole = |number: i64| u64::try_from(number).map_err(|_| shape());
    let used = |remaining| Ok(MAX_INTEGER.saturating_sub(whole(remaining)?));
    let [1, day_remaining, 0, day_reset, total_remaining, 0, _, life_remaining, 0, _, _] = *numbers else {
        return Err(shape());
    };
    let usage = Usage { day: used(day_remaining)?, total: used(total_remaining)? };
    let generation = match used(life_remaining)? {
        0 => None,
        number => Some(Generation::from_number(number).ok_or_else(shape)?),
    };
    // The script's time never goes backwards. If it is ahead of `now`, its day may be the next one; the reset
    // time of a day with usage shows which.
    let day = match whole(day_reset)? {
        0 => Day::of(now),
        reset => Day::of(Millis::new(now.get().max(1).saturating_add(reset) - 1)),
    };
    Ok(Reading { day, usage, generation })
}

/// A sliding log over a century: a generation does not end by itself.
const GENERATION_LIMIT: [Argument<'static>; 4] = [
    Argument::Text("_life"),
    Argument::Text("sliding_log"),
    Argument::Number(36_500 * Millis::DAY.get()),
    Argument::Number(MAX_INTEGER),
];

const ONE_REQUEST: [Argument<'static>; 1] = [Argument::Number(1)];

/// 2^52.
const MIN: u64 = 1 << 52;

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = Millis::new(20_000 * 86_400_000 + 43_200_000);
    const MAX: i64 = (1 << 53) - 1;

    #[test]
    fn readings_are_decoded() {
        let reading = decode(NOON, &[1, MAX - 3, 0, 43_200_000, MAX - 10, 0, 9, MAX, 0, 0, 1]).unwrap();
        assert_eq!(reading, Reading { day: Day::of(NOON), usage: Usage { day: 3, total: 10 }, generation: None });
        let generation = Generation::new(u64::MAX);
        let remaining = MAX - i64::try_from(generation.number()).unwrap();
        let reading = decode(NOON, &[1, MAX, 0, 0, MAX, 0, 0, remaining, 0, 7, 1]).unwrap();
        assert_eq!(reading, Reading { day: Day::of(NOON), usage: Usage::default(), generation: Some(generation) });
    }

    #[test]
    fn day_is_that_of_the_script() {
        let before_midnight = Millis::new(20_001 * 86_400_000 - 5);
        let day = |reset| decode(before_midnight, &[1, MAX - 3, 0, reset, MAX - 3, 0, 9, MAX, 0, 0, 1]).unwrap().day;
        assert_eq!(day(5), Day::of(before_midnight));
        assert_eq!(day(5 + 86_400_000).before(), Day::of(before_midnight), "the script's clock is ahead");
    }

    #[test]
    fn invalid_replies_are_refused() {
        for numbers in [
            [0, MAX, 0, 0, MAX, 0, 0, MAX, 0, 0, 1],
            [1, -1, 0, 0, MAX, 0, 0, MAX, 0, 0, 1],
            [1, MAX, 1, 0, MAX, 0, 0, MAX, 0, 0, 1],
            [1, MAX, 0, -1, MAX, 0, 0, MAX, 0, 0, 1],
            [1, MAX, 0, 0, MAX, 0, 0, MAX - 1, 0, 0, 1],
        ] {
            let error = decode(NOON, &numbers).unwrap_err();
            assert!(matches!(error, RedisError::Shape { .. }), "{numbers:?}: {error}");
        }
    }

    #[test]
    fn two_generations_do_not_fit_into_the_log() {
        for random in [0, 1 << 12, u64::MAX] {
            let number = Generation::new(random).number();
            assert!(number.checked_mul(2).unwrap() > MAX_INTEGER && number <= MAX_INTEGER);
            assert_eq!(Generation::from_number(number).unwrap().number(), number);
        }
        assert_ne!(Generation::new(0), Generation::new(1 << 12));
        assert_eq!([0, 1, MIN - 1, MAX_INTEGER + 1].map(Generation::from_number), [None; 4]);
    }
}
