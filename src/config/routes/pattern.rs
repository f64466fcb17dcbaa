//! Patterns of routes: a method and a path with wildcards.

use std::fmt;

use super::path::{decoded, is_plain};

/// A pattern `METHOD /path`.
///
/// The method is in capitals, or `*` for any. A segment `:name` matches any one segment. `*` as the last segment matches
/// the rest of the path, which may be empty. `GET` matches `HEAD` too: it is the same work for the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    method: Option<String>,
    pub(super) segments: Vec<Segment>,
    /// Whether the pattern ends in `*`.
    pub(super) open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// This segment, percent-decoded and in lower case.
    Literal(String),
    /// Any segment.
    Any,
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Returns the problem if the pattern is invalid.
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
        // The root, or a trailing slash, which is ignored.
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

    /// Returns the number of segments of `prefix`, a path of literal segments with which this pattern begins.
    ///
    /// # Errors
    /// Returns the problem if `prefix` is not such a path.
    pub fn length_of(&self, prefix: &str) -> Result<usize, String> {
        let is_literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
        let segments = match Pattern::new(&format!("* {prefix}")) {
            Ok(Pattern { segments, open: false, .. }) if !segments.is_empty() && segments.iter().all(is_literal) => {
                segments
            }
            _ => return Err(format!("expected a path like \"/prefix\", found {prefix:?}")),
        };
        if !self.segments.starts_with(&segments) {
            return Err(format!("expected the beginning of match, {:?}, found {prefix:?}", self.text));
        }
        Ok(segments.len())
    }

    /// Returns the first `count` segments as they are written: `/openai`.
    #[must_use]
    pub fn prefix(&self, count: usize) -> String {
        let segments = self.text.split('/').skip(1).take(count);
        segments.fold(String::new(), |prefix, segment| prefix + "/" + segment)
    }

    /// Returns the place of the segment `:name`, from 0.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<usize> {
        let (_, path) = self.text.split_once('/')?;
        path.split('/').position(|segment| segment.strip_prefix(':') == Some(name))
    }

    /// Returns whether the pattern matches a method and the segments of a path.
    #[cfg(test)]
    pub(super) fn matches<S: AsRef<str>>(&self, method: &str, path: &[S]) -> bool {
        let lengths = if self.open { path.len() >= self.segments.len() } else { path.len() == self.segments.len() };
        lengths
            && Pattern::method_covers(self.method(), Some(method))
            && self.segments.iter().zip(path).all(|(segment, found)| segment.matches(found.as_ref()))
    }

    /// Returns the method; `None` is any.
    pub(super) fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// Returns whether this pattern matches everything that `other` matches.
    #[cfg(test)]
    pub(super) fn covers(&self, other: &Pattern) -> bool {
        let lengths = if self.open {
            other.segments.len() >= self.segments.len()
        } else {
            !other.open && other.segments.len() == self.segments.len()
        };
        let mut pairs = self.segments.iter().zip(&other.segments);
        Pattern::method_covers(self.method(), other.method())
            && lengths
            && pairs.all(|(own, other)| *own == Segment::Any || own == other)
    }

    /// Returns whether a pattern with the method `own` matches a method; `None` is any method.
    pub(super) fn method_covers(own: Option<&str>, method: Option<&str>) -> bool {
        own.is_none_or(|own| method == Some(own) || (own == "GET" && method == Some("HEAD")))
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
            return Err(format!("\"*\" matches all that follows and must be the last segment, found {text:?}"));
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

    #[cfg(test)]
    fn matches(&self, found: &str) -> bool {
        match self {
            Segment::Literal(name) => name == found,
            Segment::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::routes::path::plain;

    #[test]
    fn patterns_match_method_and_path() {
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
    fn segments_have_a_place() {
        let pattern = Pattern::new("GET /repos/:owner/:repo/*").unwrap();
        assert_eq!((pattern.prefix(1), pattern.prefix(0)), ("/repos".to_owned(), String::new()));
        assert_eq!(["owner", "repo", "repos", ""].map(|name| pattern.place_of(name)), [Some(1), Some(2), None, None]);
    }

    #[test]
    fn invalid_patterns_are_explained() {
        let expected = "expected \"METHOD /path\" (\"* /path\" for any method), found ";
        for (text, problem) in [
            ("", expected),
            ("/v1", expected),
            ("get /v1", expected),
            ("GET v1", expected),
            ("GET /v1 ", "expected a path without query"),
            ("GET /v1?x", "expected a path without query"),
            ("GET /*/x", "\"*\" matches all that follows"),
            ("GET /x*", "\"*\" matches all that follows"),
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
