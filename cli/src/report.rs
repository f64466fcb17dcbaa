//! The output of a command.

use serde_json::Value;

use crate::output::Output;

/// The output of a command, for people and for programs.
#[derive(Debug)]
pub(crate) struct Report {
    /// For people, without a trailing line break; styles are removed if the output is not a terminal.
    pub(crate) text: String,
    /// For programs; without it, programs get the text.
    pub(crate) json: Option<Value>,
    /// For people; printed to standard error, so that no pipe contains it.
    pub(crate) note: Option<String>,
    /// If false, the program exits with 1.
    pub(crate) success: bool,
}

impl Report {
    /// Creates a report without output.
    pub(crate) fn empty() -> Self {
        Report { text: String::new(), json: None, note: None, success: true }
    }

    /// Creates a report of `text` for people and `json` for programs.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Report { text: text.into(), json: Some(json), note: None, success: true }
    }

    /// Creates a report of a command without a result: only a note.
    pub(crate) fn done(note: impl Into<String>) -> Self {
        Report { note: Some(note.into()), ..Report::empty() }
    }

    pub(crate) fn with_note(self, note: impl Into<String>) -> Self {
        Report { note: Some(note.into()), ..self }
    }

    pub(crate) fn output(&self, json: bool) -> Output {
        let stdout = match &self.json {
            Some(value) if json => format!("{value:#}\n"),
            _ if self.text.is_empty() => String::new(),
            _ => format!("{}\n", self.text),
        };
        let stderr = match &self.note {
            Some(note) if !json => format!("{note}\n"),
            _ => String::new(),
        };
        Output::new(stdout, stderr, u8::from(!self.success))
    }
}
