//! The ways in which servers may interpret one path.
//!
//! A path that is not [plain](super::path::is_plain) can be one resource to one server and another to the next, and
//! the origin's behavior is unknown, as is that of proxies before it. So every transformation that servers are known to
//! apply is both applied and not applied. The route is certain only if all interpretations lead to the same one.

use std::borrow::Cow;
use std::collections::HashSet;

use super::path::decoded;

/// Returns the result of `find` if it is the same for every interpretation of the path. `find` gets the first `depth`
/// segments of each.
///
/// Returns `None` if results differ, or if there are too many interpretations.
pub(super) fn agreed<T: PartialEq>(path: &str, depth: usize, find: impl Fn(&[&str]) -> T) -> Option<T> {
    agreed_among(MAX_INTERPRETATIONS.min(BUDGET / path.len().max(1)), path, depth, find)
}

/// Returns whether a path that follows the base path of an origin stays below it in every interpretation. `.` and `..` in
/// the path are resolved.
#[must_use]
pub fn stays_below_base(path: &str) -> bool {
    // Nothing else leads upwards.
    if !path.contains(['%', ';']) {
        return true;
    }
    // Stands in for the base. It is longer than the path, so no path that leaves it can lead into it again.
    let base = "x".repeat(path.len() + 1);
    agreed(&format!("/{base}{path}"), 1, |found| found == [base.as_str()]) == Some(true)
}

/// The most interpretations of a path that are compared.
const MAX_INTERPRETATIONS: usize = 256;

/// The most bytes to compare: the path's length times the number of interpretations. Allows 4 of a path of 16 KiB.
const BUDGET: usize = 1 << 16;

fn agreed_among<T: PartialEq>(most: usize, path: &str, depth: usize, find: impl Fn(&[&str]) -> T) -> Option<T> {
    let decodings = decodings(path);
    let interpretations = interpretations(&decodings, most)?;
    let compared: HashSet<Segments> = interpretations.into_iter().map(|segments| compared(segments, depth)).collect();
    let mut found = compared.iter().map(|segments| find(segments));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// The segments of a path, as one server sees them.
type Segments<'a> = Vec<&'a str>;

/// A transformation that some servers apply to a path.
#[derive(Clone, Copy)]
enum Transformation {
    /// Cuts the path at this character: NUL where paths are C strings, `?` and `#` where the query is split off after
    /// decoding.
    Cut(char),
    /// Splits segments at this character even if it was percent-encoded.
    Split(char),
    /// Drops parameters (`;x=1`) from segments.
    Strip,
    /// Trims these characters around segments.
    Trim(fn(char) -> bool),
    /// Trims trailing dots and spaces of segments, as Windows does in file names.
    TrimDots,
    /// Drops empty segments. On servers that keep them, `..` removes one.
    Merge,
    /// Resolves `.` and `..`.
    Resolve,
}

/// The transformations, in the usual order of servers.
const TRANSFORMATIONS: [Transformation; 11] = [
    Transformation::Cut('\0'),
    Transformation::Cut('?'),
    Transformation::Cut('#'),
    Transformation::Split('/'),
    Transformation::Split('\\'),
    Transformation::Strip,
    Transformation::Trim(char::is_whitespace),
    Transformation::Trim(|c| c.is_whitespace() || c.is_control()),
    Transformation::TrimDots,
    Transformation::Merge,
    Transformation::Resolve,
];

/// How often the sequence is applied. Servers differ in order, and the origin may be behind a proxy that forwards its own
/// interpretation. Two rounds cover both.
const ROUNDS: usize = 2;

/// Returns the possible decodings of a path. Some servers drop parameters before decoding, when an encoded `;` does not
/// begin one and an encoded slash does not end one. Some drop control characters after it: all, or those that URL
/// parsers drop.
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

/// Returns all interpretations, or `None` if there are more than `most`.
fn interpretations<'a>(decodings: &'a [Vec<Cow<'a, str>>], most: usize) -> Option<HashSet<Segments<'a>>> {
    let as_segments = |decoding: &'a Vec<Cow<'a, str>>| decoding.iter().map(AsRef::as_ref).collect();
    let mut interpretations: HashSet<Segments> = decodings.iter().map(as_segments).collect();
    for transformation in TRANSFORMATIONS.iter().cycle().take(ROUNDS * TRANSFORMATIONS.len()) {
        let other = |segments: &Segments<'a>| Some(transformation.apply(segments)).filter(|other| other != segments);
        let others: Vec<Segments> = interpretations.iter().filter_map(other).collect();
        interpretations.extend(others);
        if interpretations.len() > most {
            return None;
        }
    }
    Some(interpretations)
}

/// Reduces an interpretation to the segments that are compared.
fn compared(mut segments: Segments, depth: usize) -> Segments {
    segments.retain(|segment| !segment.is_empty());
    segments.truncate(depth);
    segments
}

impl Transformation {
    fn apply<'a>(self, path: &[&'a str]) -> Segments<'a> {
        let segments = path.iter().copied();
        match self {
            Transformation::Cut(end) => match path.iter().position(|segment| segment.contains(end)) {
                Some(last) => segments.take(last + 1).map(|segment| before(segment, end)).collect(),
                None => path.to_vec(),
            },
            Transformation::Split(end) => segments.flat_map(|segment| segment.split(end)).collect(),
            Transformation::Strip => segments.map(|segment| before(segment, ';')).collect(),
            Transformation::Trim(blank) => segments.map(|segment| segment.trim_matches(blank)).collect(),
            Transformation::TrimDots => segments.map(without_dots).collect(),
            Transformation::Merge => segments.filter(|segment| !segment.is_empty()).collect(),
            Transformation::Resolve => segments.fold(Segments::with_capacity(path.len()), |mut before, segment| {
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
