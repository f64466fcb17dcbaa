//! What a route matches: a method and a path with places for any segment.

use std::fmt;

use super::path::{decoded, is_plain};

/// `METHOD /path`: a method in capitals or `*` for any, and a path whose segments may be `:name`, which stands for
/// any one segment, and whose last may be `*`, which stands for all that follows, also for nothing.
///
/// `GET` matches `HEAD` too: it is the same work for the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    method: Option<String>,
    pub(super) segments: Vec<Segment>,
    /// Whether the path goes on with anything.
    pub(super) open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// This one, percent-decoded and in lower case.
    Literal(String),
    /// Any one.
    Any,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let expected = || format!("expected \"METHOD /path\" (\"* /path\" for any method), found {text:?}");
        let (method, path) = text.split_once(' ').ok_or_else(expected)?;
        let capitals = |method: &str| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !(method == "*" || capitals(method)) {
            return Err(expected());
        }
        let path = path.strip_prefix('/').ok_or_else(expected)?;
        if path.contains(['?', '#', ' ']) {
            return Err(format!("expected a path without query, fragment or space, found {text:?}"));
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        // The root, or a trailing slash, which does not count.
        if parts.last() == Some(&"") {
            parts.pop();
        }
        let open = parts.last() == Some(&"*");
        if open {
            parts.pop();
        }
        let segments = parts.into_iter().map(|part| Segment::new(part, text)).collect::<Result<_, _>>()?;
        let method = (method != "*").then(|| method.to_owned());
        Ok(Pattern { text: text.to_owned(), method, segments, open })
    }

    /// Whether a request of this method for a path of these segments is meant.
    pub(super) fn matches<S: AsRef<str>>(&self, method: &str, path: &[S]) -> bool {
        let lengths = if self.open { path.len() >= self.segments.len() } else { path.len() == self.segments.len() };
        lengths
            && self.means(Some(method))
            && self.segments.iter().zip(path).all(|(segment, found)| segment.matches(found.as_ref()))
    }

    /// Whether this pattern matches whatever `other` matches.
    pub(super) fn covers(&self, other: &Pattern) -> bool {
        let lengths = if self.open {
            other.segments.len() >= self.segments.len()
        } else {
            !other.open && other.segments.len() == self.segments.len()
        };
        let mut pairs = self.segments.iter().zip(&other.segments);
        self.means(other.method.as_deref()) && lengths && pairs.all(|(own, other)| *own == Segment::Any || own == other)
    }

    /// Whether requests of a method are meant; `None` is any method.
    fn means(&self, method: Option<&str>) -> bool {
        self.method.as_deref().is_none_or(|own| method == Some(own) || (own == "GET" && method == Some("HEAD")))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn new(part: &str, text: &str) -> Result<Self, String> {
        if let Some(name) = part.strip_prefix(':') {
            return match name {
                "" => Err(format!("a segment has no name after the colon, found {text:?}")),
                _ => Ok(Segment::Any),
            };
        }
        if part.contains('*') {
            return Err(format!("\"*\" stands for all that follows and is the last segment alone, found {text:?}"));
        }
        match decoded(part) {
            name if name.is_empty() => Err(format!("an empty segment matches nothing, found {text:?}")),
            name if !is_plain(&name) => Err(format!(
                "a segment with a slash, backslash, \";\", \"?\", \"#\" or control character in it, a space around it or a \
                 dot at its end matches nothing, found {text:?}"
            )),
            name => Ok(Segment::Literal(name.into_owned())),
        }
    }

    fn matches(&self, found: &str) -> bool {
        match self {
            Segment::Literal(name) => name == found,
            Segment::Any => true,
        }
    }

    /// Whether there is a segment that both match.
    pub(super) fn meets(&self, other: &Segment) -> bool {
        *self == Segment::Any || *other == Segment::Any || self == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::routes::path::plain;

    #[test]
    fn patterns_match_what_they_say() {
        for (pattern, request, expected) in [
            ("GET /health", "GET /health", true),
            ("GET /health", "HEAD /health", true),
            ("GET /health", "POST /health", false),
            ("GET /health/", "GET /health", true),
            ("GET /health", "GET /health/x", false),
            ("* /v1/*", "DELETE /v1", true),
            ("* /v1/*", "PUT /v1/a/b", true),
            ("* /v1/*", "GET /v2", false),
            ("* /*", "GET /", true),
            ("* /", "GET /", true),
            ("* /", "GET /x", false),
            ("POST /users/:id/keys", "POST /users/7/keys", true),
            ("POST /users/:id/keys", "POST /users/keys", false),
            ("GET /Caf%C3%A9", "GET /caf%C3%A9", true),
        ] {
            let (method, path) = request.split_once(' ').unwrap();
            let found = Pattern::new(pattern).unwrap().matches(method, &plain(path).unwrap());
            assert_eq!(found, expected, "{pattern}: {request}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let expected = "expected \"METHOD /path\" (\"* /path\" for any method), found ";
        for (text, problem) in [
            ("", expected),
            ("/v1", expected),
            ("get /v1", expected),
            ("GET v1", expected),
            ("GET /v1 ", "expected a path without query"),
            ("GET /v1?x", "expected a path without query"),
            ("GET /*/x", "\"*\" stands for all that follows"),
            ("GET /x*", "\"*\" stands for all that follows"),
            ("GET //x", "an empty segment"),
            ("GET /:/x", "a segment has no name"),
            ("GET /a/../b", "a segment with a slash"),
            ("GET /a%2Fb", "a segment with a slash"),
            ("GET /a%3F", "a segment with a slash"),
            ("GET /a.", "a segment with a slash"),
            ("GET /a%20", "a segment with a slash"),
        ] {
            let error = Pattern::new(text).unwrap_err();
            assert!(error.starts_with(problem) && error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_pattern_covers_narrower_ones() {
        let covers = |a: &str, b: &str| Pattern::new(a).unwrap().covers(&Pattern::new(b).unwrap());
        assert!(covers("* /v1/*", "GET /v1/chat"));
        assert!(covers("* /v1/*", "GET /v1/:a/*"));
        assert!(covers("GET /:a", "GET /b"));
        assert!(covers("GET /x", "HEAD /x"));
        assert!(!covers("HEAD /x", "GET /x"));
        assert!(!covers("GET /x", "* /x"));
        assert!(!covers("GET /b", "GET /:a"));
        assert!(!covers("GET /v1/*", "* /v1/*"));
        assert!(!covers("* /:a", "* /*"));
        assert!(!covers("* /v1/a/*", "* /v1/*"));
    }
}
