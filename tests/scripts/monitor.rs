//! Redis's MONITOR: the commands that scripts call.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A connection that receives every command, including those of scripts.
pub(crate) struct Monitor(BufReader<UnixStream>);

impl Monitor {
    pub(crate) fn start(socket: &Path) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut monitor = Monitor(BufReader::new(stream));
        assert_eq!(monitor.line(), "+OK");
        monitor
    }

    /// Returns the commands that scripts called before a client sent `ECHO mark`.
    pub(crate) fn calls_of_scripts_until(&mut self, mark: &str) -> Vec<Vec<String>> {
        let mut calls = Vec::new();
        loop {
            // +1700000000.123456 [0 lua] "GET" "key"
            let line = self.line();
            let (source, command) = line.split_once("] ").unwrap_or_else(|| panic!("{line}"));
            let command = words(command);
            if source.ends_with(" lua") {
                calls.push(command);
            } else if command.len() == 2 && command[0].eq_ignore_ascii_case("ECHO") && command[1] == mark {
                return calls;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

/// Parses words in quotes, with backslash escapes of quotes and backslashes. Other escapes stay as they are, since no
/// test has them in a key.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut inside, mut escaped) = (Vec::new(), String::new(), false, false);
    for character in text.chars() {
        match character {
            '"' if !escaped && inside => words.push(std::mem::take(&mut word)),
            '\\' if !escaped => {}
            _ if inside && (escaped || character != '"') => word.push(character),
            _ => {}
        }
        inside ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    words
}
