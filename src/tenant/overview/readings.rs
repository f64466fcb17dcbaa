//! What an isolate has seen of limits that only a script can read: sliding logs, whose state is a sorted set.

use crate::limit::{Algorithm, Budget};
use crate::time::Millis;

/// The use of a sliding log, as a check has returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The name of the limit.
    pub name: String,
    /// The units in use.
    pub used: u64,
    /// When the limit is full again if nothing more comes.
    pub until: Millis,
    /// When it was seen.
    pub at: Millis,
}

impl Reading {
    /// Returns what a budget says, if its limit is a sliding log.
    pub(super) fn of(budget: &Budget, at: Millis) -> Option<Self> {
        let Algorithm::SlidingLog { .. } = budget.limit.algorithm() else { return None };
        Some(Reading {
            name: budget.limit.name().as_str().to_owned(),
            used: budget.limit.quota().saturating_sub(budget.remaining),
            until: at.saturating_add(budget.reset),
            at,
        })
    }

    /// Writes readings as one word: `NAME:USED:UNTIL:AT`, joined by commas; `-` if there is none.
    pub(super) fn to_word(readings: &[Reading]) -> String {
        let one = |Reading { name, used, until, at }: &Reading| format!("{name}:{used}:{}:{}", until.get(), at.get());
        let word = readings.iter().map(one).collect::<Vec<_>>().join(",");
        if word.is_empty() { "-".to_owned() } else { word }
    }

    /// Parses such a word. Leaves out what has another form.
    pub(super) fn from_word(word: &str) -> Vec<Reading> {
        let parse = |text: &str| {
            let mut parts = text.split(':');
            let (name, mut number) = (parts.next()?.to_owned(), || parts.next()?.parse().ok());
            Some(Reading { name, used: number()?, until: Millis::new(number()?), at: Millis::new(number()?) })
        };
        word.split(',').filter_map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_round_trip_as_one_word() {
        let reading = |name: &str, used| Reading {
            name: name.to_owned(),
            used,
            until: Millis::new(1_795_435_260_000),
            at: Millis::new(1_795_435_200_000),
        };
        for readings in [vec![], vec![reading("day", 90)], vec![reading("a-b.c_d", 1), reading("x", u64::MAX)]] {
            let word = Reading::to_word(&readings);
            assert!(!word.contains(char::is_whitespace) && !word.is_empty());
            assert_eq!(Reading::from_word(&word), readings, "{word}");
        }
        assert_eq!(Reading::from_word("a:1:2,b:1:2:3,c:x:2:3,"), [Reading::from_word("b:1:2:3").remove(0)]);
    }
}
