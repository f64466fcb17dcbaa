//! How a path is read before it is compared with patterns.
//!
//! Servers differ in what they take for the same path. So that no spelling escapes the route of its resource,
//! letters count without case, empty segments do not count, a trailing slash neither, and percent-encoded
//! characters stand for themselves. A path whose segments are all [plain](is_plain) is then the same to every server;
//! any other has several [readings](super::readings).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The segments of a path, if every server reads it alike.
pub(super) fn plain(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let segments = path.split('/').filter(|segment| !segment.is_empty()).map(decoded);
    segments.map(|segment| is_plain(&segment).then_some(segment)).collect()
}

/// Whether every server sees this decoded segment as it stands: nothing in it ends a segment or a path somewhere, and
/// nothing is dropped somewhere.
pub(super) fn is_plain(segment: &str) -> bool {
    !segment.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '?' | '#'))
        && !segment.starts_with(char::is_whitespace)
        && !segment.ends_with(|c: char| c == '.' || c.is_whitespace())
}

/// A segment as it is compared: percent-decoded once, in lower case.
pub(super) fn decoded(segment: &str) -> Cow<'_, str> {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text;
    }
    text.chars().map(folded).collect()
}

/// A letter in lower case. It goes by way of the capital, because some letters outside ASCII share theirs with one of
/// ASCII (`ſ` with `s`), and servers that compare without case take them for that one.
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
    fn spellings_of_one_path_are_one() {
        let read = |path| plain(path).map(|segments| segments.join("|"));
        for path in ["/v1/chat", "/v1/chat/", "//v1///chat", "/V1/Chat", "/v1/%63h%61t", "/%76%31/CHAT//"] {
            assert_eq!(read(path).as_deref(), Some("v1|chat"), "{path}");
        }
        assert_eq!(read("/").as_deref(), Some(""));
        assert_eq!(read("/a%2520b").as_deref(), Some("a%20b"), "decoded once");
        assert_eq!(read("/.a/b.json/c%20d").as_deref(), Some(".a|b.json|c d"));
    }

    #[test]
    fn letters_outside_ascii_have_no_case_either() {
        for (one, other) in [("CAF%C3%89", "caf%C3%A9"), ("ta%C5%BFk", "task"), ("tas%E2%84%AA", "task")] {
            assert_eq!(decoded(one), decoded(other));
        }
        for (one, other) in [("%C4%B1d", "id"), ("%C4%B0d", "id"), ("stra%C3%9Fe", "straße")] {
            assert_eq!(decoded(one), other);
        }
    }

    #[test]
    fn what_servers_read_otherwise_is_not_plain() {
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
