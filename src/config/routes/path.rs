//! Normalizes a path before it is compared with patterns.
//!
//! Servers disagree on which paths are equal. So that no encoding of a path escapes the route of its resource, the
//! comparison ignores case, empty segments and a trailing slash, and decodes percent-encoded characters. If all segments
//! are [plain](is_plain), every server then sees the same path. Any other path has several
//! [interpretations](super::interpretations).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Returns the segments of a path if every server interprets it the same way.
pub(super) fn plain(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let segments = path.split('/').filter(|segment| !segment.is_empty()).map(decoded);
    segments.map(|segment| is_plain(&segment).then_some(segment)).collect()
}

/// Returns whether every server takes this decoded segment as it is: no server ends a segment or the path inside it, or
/// drops a part of it.
pub(super) fn is_plain(segment: &str) -> bool {
    !segment.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '?' | '#'))
        && !segment.starts_with(char::is_whitespace)
        && !segment.ends_with(|c: char| c == '.' || c.is_whitespace())
}

/// Percent-decodes a segment once and folds it to lower case.
pub(super) fn decoded(segment: &str) -> Cow<'_, str> {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text;
    }
    text.chars().map(folded).collect()
}

/// Folds a letter to lower case by way of upper case. Some letters outside ASCII share their capital with an ASCII letter
/// (`ſ` with `s`), and servers that ignore case treat the two as equal.
fn folded(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut capitals = letter.to_uppercase();
    let capital = capitals.next().filter(|_| capitals.next().is_none()).unwrap_or(letter);
    capital.to_lowercase().next().unwrap_or(capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_are_normalized_alike() {
        let read = |path| plain(path).map(|segments| segments.join("|"));
        for path in ["/v1/chat", "/v1/chat/", "//v1///chat", "/V1/Chat", "/v1/%63h%61t", "/%76%31/CHAT//"] {
            assert_eq!(read(path).as_deref(), Some("v1|chat"), "{path}");
        }
        assert_eq!(read("/").as_deref(), Some(""));
        assert_eq!(read("/a%2520b").as_deref(), Some("a%20b"), "decoded once");
        assert_eq!(read("/.a/b.json/c%20d").as_deref(), Some(".a|b.json|c d"));
    }

    #[test]
    fn case_is_ignored_outside_ascii() {
        for (one, other) in [("CAF%C3%89", "caf%C3%A9"), ("ta%C5%BFk", "task"), ("tas%E2%84%AA", "task")] {
            assert_eq!(decoded(one), decoded(other));
        }
        for (one, other) in [("%C4%B1d", "id"), ("%C4%B0d", "id"), ("stra%C3%9Fe", "straße")] {
            assert_eq!(decoded(one), other);
        }
    }

    #[test]
    fn paths_that_servers_interpret_differently_are_not_plain() {
        for path in [
            "/a%2Fb",
            "/a%5cb",
            r"/a\b",
            "/a;b",
            "/a%3Bb",
            "/a%3F",
            "/a%23",
            "/a%00",
            "/a%0Ab",
            "/a.",
            "/a%2E",
            "/a%20",
            "/a%20/b",
            "/%20a",
            "/a/../b",
            "/./a",
            "/a/%2e%2e",
            "/a%C2%A0",
        ] {
            assert_eq!(plain(path), None, "{path}");
        }
    }
}
