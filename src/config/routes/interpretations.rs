//! What different servers take one path for.
//!
//! A path that is not [plain](super::path::is_plain) means one resource to one server and another to the next, and
//! nobody here knows which the origin is, or what stands before it. So all that servers are known to do to a path is
//! done to it and left undone, and only what comes out the same each time is certain.

use std::borrow::Cow;
use std::collections::HashSet;

use super::path::decoded;

/// What `look` finds for a path, if it finds the same for every reading of it. It is shown no more than `depth`
/// segments of each.
///
/// `None` also where there are too many readings to look at them all.
pub(super) fn agreed<T: PartialEq>(path: &str, depth: usize, look: impl Fn(&[&str]) -> T) -> Option<T> {
    agreed_among(MOST.min(BUDGET / path.len().max(1)), path, depth, look)
}

/// So many readings of a path are looked at.
const MOST: usize = 256;

/// The length of a path in bytes times the number of its readings, at most: 4 readings of a path of 16 KiB.
const BUDGET: usize = 1 << 16;

fn agreed_among<T: PartialEq>(most: usize, path: &str, depth: usize, look: impl Fn(&[&str]) -> T) -> Option<T> {
    let decodings = decodings(path);
    let readings = readings(&decodings, most)?;
    let compared: HashSet<Reading> = readings.into_iter().map(|reading| compared(reading, depth)).collect();
    let mut found = compared.iter().map(|reading| look(reading));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// The segments of a path, as one server sees them.
type Reading<'a> = Vec<&'a str>;

/// Something that servers do to a path, or do not.
#[derive(Clone, Copy)]
enum Habit {
    /// The path ends at this character: at a NUL for what keeps it as a C string, at `?` and `#` for what splits off
    /// a query after decoding.
    Cut(char),
    /// This character ends a segment also where it was encoded.
    Split(char),
    /// Parameters (`;x=1`) are dropped from segments.
    Strip,
    /// Blanks around a segment do not count.
    Trim(fn(char) -> bool),
    /// Dots and spaces at the end of a segment do not count, as in file names of Windows.
    TrimDots,
    /// Empty segments do not count. Servers that say otherwise let `..` take one back.
    Merge,
    /// `.` and `..` are steps.
    Resolve,
}

/// In the order in which servers do them.
const HABITS: [Habit; 11] = [
    Habit::Cut('\0'),
    Habit::Cut('?'),
    Habit::Cut('#'),
    Habit::Split('/'),
    Habit::Split('\\'),
    Habit::Strip,
    Habit::Trim(char::is_whitespace),
    Habit::Trim(|c| c.is_whitespace() || c.is_control()),
    Habit::TrimDots,
    Habit::Merge,
    Habit::Resolve,
];

/// One server has one order and another a second; and the origin may stand behind a proxy that hands on what it has
/// read. Twice in a row stands for both.
const ROUNDS: usize = 2;

/// The segments of a path as they can be before anything is done to them: parameters can be dropped before decoding,
/// when an encoded `;` does not count and an encoded slash ends none; and control characters can be dropped after it,
/// all of them or those that parsers of URLs drop.
fn decodings(path: &str) -> Vec<Vec<Cow<'_, str>>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut decodings: Vec<Vec<_>> = vec![path.split('/').map(decoded).collect()];
    if path.contains(';') {
        let stripped = path.split('/').map(|segment| decoded(segment.split(';').next().unwrap_or_default()));
        decodings.push(stripped.collect());
    }
    for dropped in [|c| matches!(c, '\t' | '\r' | '\n'), char::is_control] {
        let have = |decoding: &&Vec<Cow<str>>| decoding.iter().any(|segment| segment.contains(dropped));
        let without = |segment: &Cow<str>| Cow::from(segment.replace(dropped, ""));
        let printed = decodings.iter().filter(have).map(|decoding| decoding.iter().map(without).collect());
        let printed: Vec<_> = printed.collect();
        decodings.extend(printed);
    }
    decodings
}

/// All readings, unless they are more than `most`.
fn readings<'a>(decodings: &'a [Vec<Cow<'a, str>>], most: usize) -> Option<HashSet<Reading<'a>>> {
    let as_reading = |decoding: &'a Vec<Cow<'a, str>>| decoding.iter().map(AsRef::as_ref).collect();
    let mut readings: HashSet<Reading> = decodings.iter().map(as_reading).collect();
    for habit in HABITS.iter().cycle().take(ROUNDS * HABITS.len()) {
        let other = |reading: &Reading<'a>| Some(habit.applied(reading)).filter(|other| other != reading);
        let others: Vec<Reading> = readings.iter().filter_map(other).collect();
        readings.extend(others);
        if readings.len() > most {
            return None;
        }
    }
    Some(readings)
}

/// What is compared of a reading.
fn compared(mut reading: Reading, depth: usize) -> Reading {
    reading.retain(|segment| !segment.is_empty());
    reading.truncate(depth);
    reading
}

impl Habit {
    fn applied<'a>(self, reading: &[&'a str]) -> Reading<'a> {
        let segments = reading.iter().copied();
        match self {
            Habit::Cut(end) => match reading.iter().position(|segment| segment.contains(end)) {
                Some(last) => segments.take(last + 1).map(|segment| before(segment, end)).collect(),
                None => reading.to_vec(),
            },
            Habit::Split(end) => segments.flat_map(|segment| segment.split(end)).collect(),
            Habit::Strip => segments.map(|segment| before(segment, ';')).collect(),
            Habit::Trim(blank) => segments.map(|segment| segment.trim_matches(blank)).collect(),
            Habit::TrimDots => segments.map(without_dots).collect(),
            Habit::Merge => segments.filter(|segment| !segment.is_empty()).collect(),
            Habit::Resolve => segments.fold(Reading::with_capacity(reading.len()), |mut before, segment| {
                match segment {
                    "." => {}
                    ".." => drop(before.pop()),
                    name => before.push(name),
                }
                before
            }),
        }
    }
}

fn before(segment: &str, end: char) -> &str {
    segment.split(end).next().unwrap_or_default()
}

fn without_dots(segment: &str) -> &str {
    match segment.trim_end_matches(' ') {
        step @ ("." | "..") => step,
        name => name.trim_end_matches(['.', ' ']),
    }
}

#[cfg(test)]
mod tests;
