//! What a command has to say.

use std::io::{self, Write};

use serde_json::Value;

/// What a command has to say, for people and for programs.
#[derive(Debug)]
pub(crate) struct Report {
    /// For people, lines without a last line end; styles are dropped where nobody would see them.
    pub(crate) text: String,
    /// For programs; without it they get the text, too.
    pub(crate) json: Option<Value>,
    /// For people who watch: goes to standard error, so that it is in no pipe.
    pub(crate) note: Option<String>,
    /// Whether all is well; if not, the program ends with 1.
    pub(crate) fine: bool,
}

impl Report {
    /// Nothing to say.
    pub(crate) fn empty() -> Self {
        Report { text: String::new(), json: None, note: None, fine: true }
    }

    /// `text` for people, `json` for programs.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Report { text: text.into(), json: Some(json), note: None, fine: true }
    }

    /// Something was done that leaves nothing to show.
    pub(crate) fn done(note: impl Into<String>) -> Self {
        Report { note: Some(note.into()), ..Report::empty() }
    }

    pub(crate) fn with_note(self, note: impl Into<String>) -> Self {
        Report { note: Some(note.into()), ..self }
    }

    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut stdout = anstream::stdout().lock();
        match &self.json {
            Some(value) if json => writeln!(stdout, "{value:#}")?,
            _ if self.text.is_empty() => (),
            _ => writeln!(stdout, "{}", self.text)?,
        }
        stdout.flush()?;
        match &self.note {
            Some(note) if !json => writeln!(anstream::stderr().lock(), "{note}"),
            _ => Ok(()),
        }
    }
}
