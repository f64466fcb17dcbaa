//! How a path is read before it is compared with patterns.
//!
//! Servers differ in what they take for the same path. So that no spelling escapes the route of its resource,
//! letters count without case, empty segments do not count, a trailing slash neither, and percent-encoded
//! characters stand for themselves.
//!
//! One question stays open: whether an encoded slash or backslash (`%2F`, `%5C`), or `;`, ends a segment. Some
//! servers say so, some do not. A path with one of them has two [readings](readings), and who judges by a path must
//! look at both.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The segments of a path.
pub(super) type Segments = Vec<String>;

/// The segments of a path as a server sees them that ends segments at slashes only, and, if they are others, as one
/// sees them that also decodes slashes and drops path parameters (`;x=1`).
pub(super) fn readings(path: &str) -> (Segments, Option<Segments>) {
    let strict: Segments = path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    if strict.iter().all(|segment| !segment.contains(['/', '\\', ';'])) {
        return (strict, None);
    }
    let mut lenient = Segments::new();
    for segment in strict.iter().flat_map(|segment| segment.split(['/', '\\'])) {
        match segment.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => drop(lenient.pop()),
            name => lenient.push(name.to_owned()),
        }
    }
    let differ = lenient != strict;
    (strict, differ.then_some(lenient))
}

/// A segment as it is compared: percent-decoded once, in lower case.
pub(super) fn decoded(segment: &str) -> String {
    let bytes: Cow<'_, [u8]> = percent_decode_str(segment).into();
    String::from_utf8_lossy(&bytes).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> (String, Option<String>) {
        let (strict, lenient) = readings(path);
        (strict.join("|"), lenient.map(|segments| segments.join("|")))
    }

    #[test]
    fn spellings_of_one_path_are_one() {
        for path in ["/v1/chat", "/v1/chat/", "//v1///chat", "/V1/Chat", "/v1/%63h%61t", "/%76%31/CHAT//"] {
            assert_eq!(read(path), ("v1|chat".to_owned(), None), "{path}");
        }
        assert_eq!(read("/"), (String::new(), None));
        assert_eq!(read("/a%2520b"), ("a%20b".to_owned(), None), "decoded once");
    }

    #[test]
    fn where_servers_differ_there_are_two_readings() {
        for (path, strict, lenient) in [
            ("/public/..%2Fv1/chat", "public|../v1|chat", "v1|chat"),
            ("/v1%2fchat", "v1/chat", "v1|chat"),
            ("/v1/chat;x=1", "v1|chat;x=1", "v1|chat"),
            ("/v1/%3bx/chat", "v1|;x|chat", "v1|chat"),
            (r"/v1%5C..%5Cadmin", r"v1\..\admin", "admin"),
            ("/..%2f..%2f", "../..", ""),
        ] {
            let (found, other) = read(path);
            assert_eq!((found.trim_end_matches('/'), other.as_deref()), (strict, Some(lenient)), "{path}");
        }
    }
}
