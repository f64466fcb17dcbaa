//! A JSON string, byte by byte (RFC 8259, section 7).

/// A string that is being read. Only a key that a pointer may name is kept, and only as long as one can be.
#[derive(Debug, Clone)]
pub(super) struct TextReader {
    state: State,
    /// The decoded bytes, if they are kept and not too long.
    kept: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    /// After a backslash.
    Escape,
    /// Within the hexadecimal digits after `\u`: how many are missing, the value so far, and the high surrogate before.
    Hex {
        missing: u8,
        value: u32,
        high: Option<u32>,
    },
    /// After a high surrogate: a backslash must follow.
    Low {
        high: u32,
    },
    /// After a high surrogate and a backslash: `u` must follow.
    LowEscape {
        high: u32,
    },
}

/// What a byte does to a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The string goes on.
    GoOn,
    /// The byte is the closing quote.
    End,
    /// This is no string.
    Invalid,
}

impl TextReader {
    /// Starts after the opening quote.
    pub(super) fn start(keeps: bool) -> Self {
        TextReader { state: State::Plain, kept: keeps.then(Vec::new) }
    }

    /// Returns the decoded bytes, if they were kept.
    pub(super) fn kept(&self) -> Option<&[u8]> {
        self.kept.as_deref()
    }

    /// Takes the bytes at the start of `bytes` that only continue the string, and returns their number.
    pub(super) fn skip_plain(&mut self, bytes: &[u8]) -> usize {
        if self.state != State::Plain {
            return 0;
        }
        let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        let plain = bytes.iter().position(is_special).unwrap_or(bytes.len());
        if let Some(plain) = bytes.get(..plain).filter(|_| self.kept.is_some()) {
            self.keep(plain);
        }
        plain
    }

    /// Takes the next byte.
    pub(super) fn step(&mut self, byte: u8) -> Step {
        let next = match self.state {
            State::Plain => match byte {
                b'"' => return Step::End,
                b'\\' => Some(State::Escape),
                0..0x20 => None,
                _ => {
                    self.keep(&[byte]);
                    Some(State::Plain)
                }
            },
            State::Escape => self.escape(byte),
            State::Hex { missing, value, high } => self.hex(byte, missing, value, high),
            State::Low { high } => (byte == b'\\').then_some(State::LowEscape { high }),
            State::LowEscape { high } => {
                (byte == b'u').then_some(State::Hex { missing: 4, value: 0, high: Some(high) })
            }
        };
        match next {
            Some(next) => {
                self.state = next;
                Step::GoOn
            }
            None => Step::Invalid,
        }
    }

    fn escape(&mut self, byte: u8) -> Option<State> {
        let decoded = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return Some(State::Hex { missing: 4, value: 0, high: None }),
            _ => return None,
        };
        self.keep(&[decoded]);
        Some(State::Plain)
    }

    fn hex(&mut self, byte: u8, missing: u8, value: u32, high: Option<u32>) -> Option<State> {
        let value = value * 16 + char::from(byte).to_digit(16)?;
        if missing > 1 {
            return Some(State::Hex { missing: missing - 1, value, high });
        }
        let code = match (high, value) {
            (None, 0xD800..=0xDBFF) => return Some(State::Low { high: value }),
            (None, _) => value,
            (Some(high), 0xDC00..=0xDFFF) => 0x10000 + (high - 0xD800) * 0x400 + (value - 0xDC00),
            (Some(_), _) => return None,
        };
        let mut buffer = [0; 4];
        let text = char::from_u32(code)?.encode_utf8(&mut buffer);
        self.keep(text.as_bytes());
        Some(State::Plain)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let Some(kept) = &mut self.kept else { return };
        if kept.len() + bytes.len() > MAX_KEPT {
            self.kept = None;
        } else {
            kept.extend_from_slice(bytes);
        }
    }
}

/// No pointer has a longer step.
const MAX_KEPT: usize = 256;
