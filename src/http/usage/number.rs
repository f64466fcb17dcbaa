//! The grammar of a JSON number, byte by byte (RFC 8259, section 6).

/// A number that is being read.
#[derive(Debug, Clone)]
pub(super) struct NumberReader {
    part: Part,
    /// Its text, if it is kept and not longer than [`MAX_TEXT`] bytes.
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Sign,
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    ExponentSign,
    Exponent,
}

impl NumberReader {
    /// Starts with the first byte of a number: a digit or a minus.
    pub(super) fn start(first: u8, keeps: bool) -> Self {
        let part = match first {
            b'-' => Part::Sign,
            b'0' => Part::Zero,
            _ => Part::Whole,
        };
        NumberReader { part, text: keeps.then(|| char::from(first).to_string()) }
    }

    /// Takes a byte, unless the number cannot go on with it.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let next = match (self.part, byte) {
            (Part::Sign, b'0') => Part::Zero,
            (Part::Sign, b'1'..=b'9') | (Part::Whole, b'0'..=b'9') => Part::Whole,
            (Part::Zero | Part::Whole, b'.') => Part::Point,
            (Part::Point | Part::Fraction, b'0'..=b'9') => Part::Fraction,
            (Part::Zero | Part::Whole | Part::Fraction, b'e' | b'E') => Part::E,
            (Part::E, b'+' | b'-') => Part::ExponentSign,
            (Part::E | Part::ExponentSign | Part::Exponent, b'0'..=b'9') => Part::Exponent,
            _ => return false,
        };
        self.part = next;
        if let Some(text) = &mut self.text {
            text.push(char::from(byte));
        }
        self.text = self.text.take().filter(|text| text.len() <= MAX_TEXT);
        true
    }

    /// Returns whether the number may end here.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.part, Part::Zero | Part::Whole | Part::Fraction | Part::Exponent)
    }

    /// Returns the text of the number, if it was kept and is not too long.
    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// No API writes a number of tokens with more characters.
const MAX_TEXT: usize = 64;
