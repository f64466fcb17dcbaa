//! Finds the values that pointers point to in a JSON document, which comes in pieces (RFC 8259, RFC 6901).
//!
//! The memory is a few hundred bytes: of the document, only what the pointers need is kept. If a key appears twice in an
//! object, its last value counts, as in most parsers. Invalid UTF-8 in a string is not noticed. A document with more than
//! 512 arrays and objects in each other counts as invalid.

use std::sync::Arc;

use super::nesting::Nesting;
use super::number::NumberReader;
use super::text::{Step, TextReader};
use crate::config::costs::{Amount, Pointers};

/// A reader of one document.
#[derive(Debug, Clone)]
pub struct JsonReader {
    state: State,
    nesting: Nesting,
    hits: Vec<Option<Hit>>,
    offset: u64,
}

/// What a pointer points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The kind of value.
    pub kind: Kind,
    /// The offset of its first byte in the document.
    pub start: u64,
    /// The offset behind its last byte; that of the first byte until it is known.
    pub end: u64,
}

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number of 0 or more.
    Number(Amount),
    /// `true`.
    True,
    /// `null`.
    Null,
    /// An object.
    Object,
    /// Anything else.
    Other,
}

#[derive(Debug, Clone)]
enum State {
    /// Before a value.
    Value,
    /// After `[`: before a value, or the end of the array.
    ValueOrEnd,
    /// After `{`: before a key, or the end of the object.
    KeyOrEnd,
    /// After a comma in an object.
    Key,
    /// After a key.
    Colon,
    /// After a value in an array or object.
    CommaOrEnd,
    /// Within a string; the flag tells a key.
    Text(TextReader, bool),
    Number(NumberReader),
    /// Within `true`, `false` or `null`: the bytes that must follow, and the kind.
    Literal(&'static [u8], Kind),
    /// After the document: only white space may follow.
    End,
    Invalid,
}

impl JsonReader {
    /// Creates a reader that finds what these pointers point to.
    #[must_use]
    pub fn new(pointers: Arc<Pointers>) -> Self {
        let hits = vec![None; pointers.len()];
        JsonReader { state: State::Value, nesting: Nesting::new(pointers), hits, offset: 0 }
    }

    /// Reads the next piece of the document.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((byte, rest)) = bytes.split_first() {
            if let State::Text(text, _) = &mut self.state {
                let skipped = text.skip_plain(bytes);
                if skipped > 0 {
                    self.offset += skipped as u64;
                    bytes = bytes.get(skipped..).unwrap_or_default();
                    continue;
                }
            }
            if matches!(self.state, State::Invalid) {
                return;
            }
            self.step(*byte);
            self.offset += 1;
            bytes = rest;
        }
    }

    /// Returns whether the document has ended. Only white space may follow.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Ends the document. Returns what each pointer points to, or `None` if the document is not valid or not whole.
    #[must_use]
    pub fn finish(mut self) -> Option<Vec<Option<Hit>>> {
        if matches!(&self.state, State::Number(number) if number.is_whole() && self.nesting.is_outside()) {
            self.end_number();
        }
        self.has_ended().then_some(self.hits)
    }

    fn step(&mut self, byte: u8) {
        match &mut self.state {
            State::Text(text, is_key) => match text.step(byte) {
                Step::GoOn => {}
                Step::Invalid => self.state = State::Invalid,
                Step::End if *is_key => self.end_key(),
                Step::End => self.end_value(Kind::Other, self.offset + 1),
            },
            State::Number(number) => {
                if !number.take(byte) {
                    if number.is_whole() {
                        self.end_number();
                        self.step(byte);
                    } else {
                        self.state = State::Invalid;
                    }
                }
            }
            State::Literal(rest, kind) => match rest.split_first() {
                Some((expected, rest)) if *expected == byte => {
                    let kind = *kind;
                    if rest.is_empty() {
                        self.end_value(kind, self.offset + 1);
                    } else {
                        self.state = State::Literal(rest, kind);
                    }
                }
                _ => self.state = State::Invalid,
            },
            _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
            State::ValueOrEnd if byte == b']' => self.close(),
            State::Value | State::ValueOrEnd => self.start_value(byte),
            State::KeyOrEnd if byte == b'}' => self.close(),
            State::KeyOrEnd | State::Key if byte == b'"' => {
                let keeps = self.nesting.parent_matters();
                self.state = State::Text(TextReader::start(keeps), true);
            }
            State::Colon if byte == b':' => self.state = State::Value,
            State::CommaOrEnd => match (byte, self.nesting.is_object()) {
                (b',', true) => self.state = State::Key,
                (b',', false) => {
                    self.nesting.enter_next_item();
                    self.state = State::Value;
                }
                (b'}', true) | (b']', false) => self.close(),
                _ => self.state = State::Invalid,
            },
            State::KeyOrEnd | State::Key | State::Colon | State::End | State::Invalid => self.state = State::Invalid,
        }
    }

    fn start_value(&mut self, byte: u8) {
        // Whatever the value is, it replaces an earlier one of the same key, with all within.
        let start = Hit { kind: Kind::Other, start: self.offset, end: self.offset };
        for (place, ends) in self.nesting.here() {
            if let Some(hit) = self.hits.get_mut(place) {
                *hit = ends.then_some(start);
            }
        }
        self.state = match byte {
            b'"' => State::Text(TextReader::start(false), false),
            b'-' | b'0'..=b'9' => State::Number(NumberReader::start(byte, self.nesting.matters())),
            b't' => State::Literal(b"rue", Kind::True),
            b'f' => State::Literal(b"alse", Kind::Other),
            b'n' => State::Literal(b"ull", Kind::Null),
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            _ => State::Invalid,
        };
    }

    fn open(&mut self, is_object: bool) {
        self.state = match (self.nesting.open(is_object), is_object) {
            (false, _) => State::Invalid,
            (true, true) => State::KeyOrEnd,
            (true, false) => State::ValueOrEnd,
        };
    }

    fn close(&mut self) {
        let kind = if self.nesting.is_object() { Kind::Object } else { Kind::Other };
        self.nesting.close();
        self.end_value(kind, self.offset + 1);
    }

    /// Enters the member whose key has just ended.
    fn end_key(&mut self) {
        if let State::Text(text, _) = &self.state {
            self.nesting.enter_member(text.kept());
        }
        self.state = State::Colon;
    }

    fn end_number(&mut self) {
        let kind = match &self.state {
            State::Number(number) => number.text().and_then(Amount::parse).map_or(Kind::Other, Kind::Number),
            _ => Kind::Other,
        };
        self.end_value(kind, self.offset);
    }

    fn end_value(&mut self, kind: Kind, end: u64) {
        for (place, ends) in self.nesting.here() {
            if let Some(Some(hit)) = self.hits.get_mut(place).filter(|_| ends) {
                (hit.kind, hit.end) = (kind, end);
            }
        }
        self.state = if self.nesting.is_outside() { State::End } else { State::CommaOrEnd };
    }
}

#[cfg(test)]
mod tests;
