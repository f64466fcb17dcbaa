//! Finds numbers in the events of a stream, which comes in pieces (HTML standard, "Server-sent events", section "Interpreting
//! an event stream").
//!
//! The data of an event is read as it comes, so that an event may have any length. Each pointer keeps the number that the
//! last event with one has at its place: some APIs tell input and output in different events. The data of an event that is
//! not JSON, such as `[DONE]`, has none.

use std::sync::Arc;

use super::json::{JsonReader, Kind};
use crate::config::costs::{Amount, Pointers};

/// A reader of one stream.
#[derive(Debug)]
pub struct EventReader {
    pointers: Arc<Pointers>,
    numbers: Vec<Option<Amount>>,
    line: Line,
    /// Whether the last byte was a carriage return: a line feed then belongs to it.
    after_return: bool,
    /// The bytes of a byte order mark that were seen at the start; `None` after the start.
    mark: Option<usize>,
    event: Event,
    is_final: bool,
}

/// The event that is being read.
#[derive(Debug)]
struct Event {
    /// The reader of its data, once it has some.
    data: Option<JsonReader>,
    /// The start of its data.
    head: Vec<u8>,
    /// The start of its type.
    kind: Vec<u8>,
}

/// What is left of the current line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// The name of a field, whose first bytes were these.
    Name([u8; NAME], usize),
    /// The value of a field; a blank at its start does not belong to it.
    Value(Field, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Data,
    Type,
    Other,
}

impl EventReader {
    /// Creates a reader that finds the numbers that these pointers point to.
    #[must_use]
    pub fn new(pointers: Arc<Pointers>) -> Self {
        EventReader {
            numbers: vec![None; pointers.len()],
            pointers,
            line: START,
            after_return: false,
            mark: Some(0),
            event: Event::new(),
            is_final: false,
        }
    }

    /// Reads the next piece of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = self.after_mark(bytes);
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (part, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
            self.part_of_line(part);
            rest = behind;
            if let Some((ending, behind)) = behind.split_first() {
                self.after_return = *ending == b'\r';
                self.end_line();
                rest = behind;
            }
        }
    }

    /// Returns whether an event has said that the response is whole: `[DONE]`, `message_stop`, `response.completed` and the
    /// like.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.is_final
    }

    /// Returns the number at the place of a pointer. An event counts when the empty line behind it has been read.
    #[must_use]
    pub fn number(&self, place: usize) -> Option<Amount> {
        self.numbers.get(place).copied().flatten()
    }

    /// Returns the bytes without a byte order mark at the start of the stream.
    fn after_mark<'b>(&mut self, mut bytes: &'b [u8]) -> &'b [u8] {
        while let Some(seen) = self.mark {
            match bytes.split_first() {
                None => break,
                Some((byte, rest)) if MARK.get(seen) == Some(byte) => {
                    self.mark = (seen + 1 < MARK.len()).then_some(seen + 1);
                    bytes = rest;
                }
                Some(_) => {
                    self.mark = None;
                    // A part of a mark is part of a name. No known name has these bytes.
                    if let Some(part) = MARK.get(..seen) {
                        self.part_of_line(part);
                    }
                }
            }
        }
        bytes
    }

    /// Reads bytes of a line, without its end.
    fn part_of_line(&mut self, mut part: &[u8]) {
        if let Line::Name(mut name, mut length) = self.line {
            let colon = part.iter().position(|byte| *byte == b':');
            let (start, behind) = part.split_at_checked(colon.unwrap_or(part.len())).unwrap_or_default();
            for byte in start.iter().take(NAME.saturating_sub(length)) {
                if let Some(place) = name.get_mut(length) {
                    (*place, length) = (*byte, length + 1);
                }
            }
            if colon.is_none() {
                self.line = Line::Name(name, length);
                return;
            }
            self.line = Line::Value(self.start_field(name, length), true);
            part = behind.get(1..).unwrap_or_default();
        }
        if let (Line::Value(field, at_start), Some(first)) = (self.line, part.first()) {
            if at_start && *first == b' ' {
                part = part.get(1..).unwrap_or_default();
            }
            self.line = Line::Value(field, false);
            match field {
                Field::Data => self.event.feed(part),
                Field::Type => keep(&mut self.event.kind, part),
                Field::Other => {}
            }
        }
    }

    fn start_field(&mut self, name: [u8; NAME], length: usize) -> Field {
        match name.get(..length) {
            Some(b"data") => {
                if self.event.data.is_some() {
                    self.event.feed(b"\n");
                } else {
                    self.event.data = Some(JsonReader::new(Arc::clone(&self.pointers)));
                }
                Field::Data
            }
            Some(b"event") => {
                self.event.kind.clear();
                Field::Type
            }
            _ => Field::Other,
        }
    }

    fn end_line(&mut self) {
        match self.line {
            Line::Name(_, 0) => self.end_event(),
            Line::Name(name, length) => {
                self.start_field(name, length);
            }
            Line::Value(..) => {}
        }
        self.line = START;
    }

    fn end_event(&mut self) {
        let event = std::mem::replace(&mut self.event, Event::new());
        // An event without data is none.
        let Some(data) = event.data else { return };
        self.is_final |= event.head == b"[DONE]" || FINAL.contains(&event.kind.as_slice());
        for (number, hit) in self.numbers.iter_mut().zip(data.finish().into_iter().flatten()) {
            if let Some(Kind::Number(found)) = hit.map(|hit| hit.kind) {
                *number = Some(found);
            }
        }
    }
}

impl Event {
    fn new() -> Self {
        Event { data: None, head: Vec::new(), kind: Vec::new() }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if let Some(data) = &mut self.data {
            data.feed(bytes);
            keep(&mut self.head, bytes);
        }
    }
}

/// Appends bytes up to a length of [`KEPT`].
fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend(bytes.iter().take(KEPT.saturating_sub(kept.len())));
}

const START: Line = Line::Name([0; NAME], 0);

/// A byte order mark.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// The bytes that are kept of the name of a field: more than `event` has.
const NAME: usize = 6;

/// The bytes that are kept of the type and of the data of an event: more than any of [`FINAL`] has.
const KEPT: usize = 24;

/// The types of events that end a response: `message_stop` of Anthropic, the others of the responses of `OpenAI`.
const FINAL: [&[u8]; 4] = [b"message_stop", b"response.completed", b"response.incomplete", b"response.failed"];

#[cfg(test)]
mod tests;
