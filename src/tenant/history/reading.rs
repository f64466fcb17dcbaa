//! Reading a tenant's meters, and telling whether they are still those that were read before.
//!
//! A reset sets the meters back to 0, and they grow again: from the numbers alone one cannot tell that from units
//! given back. So beside the meters stands their life, a number chosen by chance, under a key that a reset
//! removes in the same call. To `check.lua` it is a log with one entry, whose cost is the number: so one call reads
//! the meters and their life at one instant; and as a second entry would exceed what the log may hold, a life never
//! becomes another without a reset between them, whoever comes late.

use super::day::Day;
use crate::limit::usage::{self, Usage};
use crate::limit::{Limit, MAX_INTEGER, Subject};
use crate::limiter::{Limiter, Now};
use crate::redis::{self, Argument, RedisError, Transport, script};
use crate::time::Millis;

/// What the meters of one subject say at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The day that the meters are in.
    pub(super) day: Day,
    /// What was used.
    pub(super) usage: Usage,
    /// Which life of the meters this is; `None`: one that nobody has named.
    pub(super) life: Option<Generation>,
}

/// A life of a subject's meters, from one reset to the next: from 2^52 to 2^53 - 1, so that no two fit into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Generation {
    /// A new one. Two of 52 random bits are not the same.
    pub(super) fn new(random: u64) -> Self {
        Generation(LEAST | (random >> 12))
    }

    /// The life of this number, unless it is none.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        (LEAST..=MAX_INTEGER).contains(&number).then_some(Generation(number))
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
    arguments.extend(meters.iter().flat_map(words));
    arguments.extend(GENERATION_LIMIT);
    arguments.extend(ONE_REQUEST);
    arguments.push(Argument::Number(0));
    interpret(now, &ask(limiter, subject, &arguments).await?)
}

/// Names the life of the meters, unless it has a name.
pub(super) async fn name<T: Transport>(
    limiter: &Limiter<T>,
    subject: &Subject,
    life: Generation,
    now: Millis,
) -> Result<(), RedisError> {
    let mut arguments = vec![Now::At(now).argument(), Argument::Number(1)];
    arguments.extend(GENERATION_LIMIT);
    arguments.extend(ONE_REQUEST);
    arguments.push(Argument::Number(life.number()));
    // Whether it was refused or not: the next reading tells which life it is.
    ask::<T, [i64; 5]>(limiter, subject, &arguments).await.map(drop)
}

/// The key of a subject's life.
pub(super) fn generation_key(subject: &Subject) -> String {
    format!("{}:life", subject.state_key())
}

async fn ask<T: Transport, A: serde::de::DeserializeOwned>(
    limiter: &Limiter<T>,
    subject: &Subject,
    arguments: &[Argument<'_>],
) -> Result<A, RedisError> {
    let keys = [subject.state_key(), generation_key(subject)];
    redis::eval(limiter.transport(), script::CHECK.in_dialect(limiter.dialect()), &keys, arguments).await
}

/// A meter as `check.lua` reads it.
fn words(meter: &Limit) -> [Argument<'_>; 4] {
    let window = meter.window().unwrap_or_default();
    [
        Argument::Text(meter.name().as_str()),
        Argument::Text("fixed_window"),
        Argument::Number(window.get()),
        Argument::Number(meter.quota()),
    ]
}

fn interpret(now: Millis, numbers: &[i64; 11]) -> Result<Reading, RedisError> {
    let shape = || RedisError::Shape { reason: format!("no reading: {numbers:?}") };
    let whole = |number: i64| u64::try_from(number).map_err(|_| shape());
    let used = |remaining| Ok(MAX_INTEGER.saturating_sub(whole(remaining)?));
    let [1, day_remaining, 0, day_reset, total_remaining, 0, _, life_remaining, 0, _, _] = *numbers else {
        return Err(shape());
    };
    let usage = Usage { day: used(day_remaining)?, total: used(total_remaining)? };
    let life = match used(life_remaining)? {
        0 => None,
        number => Some(Generation::from_number(number).ok_or_else(shape)?),
    };
    // The script's time never goes backwards: if it is ahead of `now`, the day may be the next one. A day
    // of which something was used says when it ends.
    let day = match whole(day_reset)? {
        0 => Day::of(now),
        reset => Day::of(Millis::new(now.get().max(1).saturating_add(reset) - 1)),
    };
    Ok(Reading { day, usage, life })
}

/// A log that is longer than a century: a life does not end by itself.
const GENERATION_LIMIT: [Argument<'static>; 4] = [
    Argument::Text("_life"),
    Argument::Text("sliding_log"),
    Argument::Number(36_500 * Millis::DAY.get()),
    Argument::Number(MAX_INTEGER),
];

const ONE_REQUEST: [Argument<'static>; 1] = [Argument::Number(1)];

/// 2^52.
const LEAST: u64 = 1 << 52;

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = Millis::new(20_000 * 86_400_000 + 43_200_000);
    const MAX: i64 = (1 << 53) - 1;

    #[test]
    fn a_reading_is_interpreted() {
        let reading = interpret(NOON, &[1, MAX - 3, 0, 43_200_000, MAX - 10, 0, 9, MAX, 0, 0, 1]).unwrap();
        assert_eq!(reading, Reading { day: Day::of(NOON), usage: Usage { day: 3, total: 10 }, life: None });
        let life = Generation::new(u64::MAX);
        let remaining = MAX - i64::try_from(life.number()).unwrap();
        let reading = interpret(NOON, &[1, MAX, 0, 0, MAX, 0, 0, remaining, 0, 7, 1]).unwrap();
        assert_eq!(reading, Reading { day: Day::of(NOON), usage: Usage::default(), life: Some(life) });
    }

    #[test]
    fn the_day_is_the_one_that_was_judged() {
        let before_midnight = Millis::new(20_001 * 86_400_000 - 5);
        let day = |reset| interpret(before_midnight, &[1, MAX - 3, 0, reset, MAX - 3, 0, 9, MAX, 0, 0, 1]).unwrap().day;
        assert_eq!(day(5), Day::of(before_midnight));
        assert_eq!(day(5 + 86_400_000).before(), Day::of(before_midnight), "its clock is ahead");
    }

    #[test]
    fn numbers_that_are_no_reading_are_refused() {
        for numbers in [
            [0, MAX, 0, 0, MAX, 0, 0, MAX, 0, 0, 1],
            [1, -1, 0, 0, MAX, 0, 0, MAX, 0, 0, 1],
            [1, MAX, 1, 0, MAX, 0, 0, MAX, 0, 0, 1],
            [1, MAX, 0, -1, MAX, 0, 0, MAX, 0, 0, 1],
            [1, MAX, 0, 0, MAX, 0, 0, MAX - 1, 0, 0, 1],
        ] {
            let error = interpret(NOON, &numbers).unwrap_err();
            assert!(matches!(error, RedisError::Shape { .. }), "{numbers:?}: {error}");
        }
    }

    #[test]
    fn no_two_lives_fit_into_a_log() {
        for random in [0, 1 << 12, u64::MAX] {
            let number = Generation::new(random).number();
            assert!(number.checked_mul(2).unwrap() > MAX_INTEGER && number <= MAX_INTEGER);
            assert_eq!(Generation::from_number(number).unwrap().number(), number);
        }
        assert_ne!(Generation::new(0), Generation::new(1 << 12));
        assert_eq!([0, 1, LEAST - 1, MAX_INTEGER + 1].map(Generation::from_number), [None; 4]);
    }
}
