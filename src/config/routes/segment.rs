//! A segment of a path, as a value to count by.

use super::interpretations::agreed;
use super::path::plain;

/// Returns the segment of a path at this place, from 0, percent-decoded and in lower case, as the patterns see it. `None`
/// if there is none, or if servers disagree on it.
#[must_use]
pub fn segment(path: &str, place: usize) -> Option<String> {
    match plain(path) {
        Some(segments) => segments.get(place).map(|segment| segment.as_ref().to_owned()),
        None => agreed(path, place + 1, |segments| segments.get(place).map(|segment| (*segment).to_owned()))?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_segment_are_one_value() {
        for path in ["/users/ada/keys", "//users//ADA/keys/", "/users/%61da/keys", "/users/Ad%41/keys"] {
            assert_eq!(segment(path, 1).as_deref(), Some("ada"), "{path}");
        }
        assert_eq!(segment("/users/ada", 2), None);
        assert_eq!(segment("/users/a%20b%7B%7D/x", 1).as_deref(), Some("a b{}"));
    }

    #[test]
    fn a_segment_that_servers_interpret_differently_is_none() {
        for path in ["/users/ada;x=1", "/users/ada%2Fkeys", "/users/ada.", "/users/ada%00b", "/users/ada%3Fx"] {
            assert_eq!(segment(path, 1), None, "{path}");
        }
        assert_eq!(segment("/users/ada/keys;x=1", 1).as_deref(), Some("ada"), "a later segment does not matter");
    }
}
