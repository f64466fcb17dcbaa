//! Reads inputs, which are lines of text: so they can be written by hand, and a mutation changes few of them.

use std::borrow::Cow;

/// The lines of an input, in order. After the last one, all lines are empty.
pub(crate) struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Lines(Some(input))
    }

    /// Returns the next line as bytes, without its line end.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let rest = self.0.unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n');
        self.0 = end.map(|end| &rest[end + 1..]);
        &rest[..end.unwrap_or(rest.len())]
    }

    /// Returns the next line as text. Bytes that are not UTF-8 are replaced, as a Worker does.
    pub(crate) fn text(&mut self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// Returns everything after the lines that were read.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0.unwrap_or_default()
    }

    /// Returns whether a line is left.
    pub(crate) fn has_more(&self) -> bool {
        self.0.is_some_and(|rest| !rest.is_empty())
    }
}

/// The words of a line. After the last one, all words are empty.
pub(crate) struct Words<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Words(line.split_whitespace())
    }

    pub(crate) fn text(&mut self) -> &'a str {
        self.0.next().unwrap_or_default()
    }

    /// Returns the next word as a number; 0 if it is none.
    pub(crate) fn number(&mut self) -> u64 {
        self.text().parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_the_input() {
        let mut lines = Lines::new(b"a\n\n\xffb\nrest\nof it");
        assert_eq!((&*lines.text(), &*lines.text(), &*lines.text()), ("a", "", "\u{fffd}b"));
        assert!(lines.has_more());
        assert_eq!(lines.rest(), b"rest\nof it");
        let mut lines = Lines::new(b"a");
        assert_eq!((lines.bytes(), lines.bytes(), lines.has_more()), (&b"a"[..], &b""[..], false));
    }

    #[test]
    fn words_end_with_the_line() {
        let mut words = Words::new(" a 7  x");
        assert_eq!((words.text(), words.number(), words.number(), words.text()), ("a", 7, 0, ""));
    }
}
