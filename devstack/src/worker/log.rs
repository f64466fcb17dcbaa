//! The output of a process, line by line.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::watch,
};

/// The lines a process has written, readable while it runs and afterwards. A clone reads the same lines.
#[derive(Clone, Debug)]
pub struct Log {
    lines: Arc<Mutex<Lines>>,
    /// Changes with each line; closes when both outputs have ended.
    added: watch::Receiver<()>,
}

/// One line of output, without colors and without the line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The output it came from.
    pub output: Output,
    /// Its text.
    pub text: String,
}

/// One of the two outputs of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<Line>,
    /// The number of lines before the first one kept.
    dropped: usize,
}

impl Log {
    /// Collects the lines of both outputs until they end.
    pub(super) fn collect(
        out: impl AsyncRead + Send + Unpin + 'static,
        err: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        let lines = Arc::new(Mutex::new(Lines::default()));
        let (sender, added) = watch::channel(());
        let sender = Arc::new(sender);
        tokio::spawn(read(out, Output::Out, Arc::clone(&lines), Arc::clone(&sender)));
        tokio::spawn(read(err, Output::Err, Arc::clone(&lines), sender));
        Self { lines, added }
    }

    /// Returns the lines so far, at most the last 10,000.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.locked().kept.iter().cloned().collect()
    }

    /// Returns the text of these lines.
    #[must_use]
    pub fn text(&self) -> String {
        self.locked().kept.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    /// Waits for a line that contains `text`, including earlier lines; `None` if there is none within `patience` or
    /// when the output ends.
    pub async fn wait_for(&self, text: &str, patience: Duration) -> Option<Line> {
        let mut follow = self.follow();
        let found = async {
            loop {
                match follow.next().await {
                    Some(line) if line.text.contains(text) => return Some(line),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        tokio::time::timeout(patience, found).await.ok().flatten()
    }

    /// Creates a reader that starts at the first line.
    #[must_use]
    pub fn follow(&self) -> Follow {
        Follow { log: self.clone(), next: 0 }
    }

    fn locked(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader of a [`Log`].
#[derive(Debug)]
pub struct Follow {
    log: Log,
    next: usize,
}

impl Follow {
    /// Waits for the next line and returns it; `None` when both outputs have ended.
    pub async fn next(&mut self) -> Option<Line> {
        loop {
            // Checked before the lines: after the end, no line can follow.
            let ended = self.log.added.has_changed().is_err();
            self.log.added.mark_unchanged();
            if let Some(line) = self.take() {
                return Some(line);
            }
            if ended {
                return None;
            }
            // An error means the end, which the next iteration detects.
            drop(self.log.added.changed().await);
        }
    }

    fn take(&mut self) -> Option<Line> {
        let lines = self.log.lines.lock().unwrap_or_else(PoisonError::into_inner);
        self.next = self.next.max(lines.dropped);
        let line = lines.kept.get(self.next - lines.dropped).cloned()?;
        self.next += 1;
        Some(line)
    }
}

async fn read(output: impl AsyncRead + Unpin, name: Output, lines: Arc<Mutex<Lines>>, added: Arc<watch::Sender<()>>) {
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    // Output that is not UTF-8 is read as well: otherwise the process would block on a full pipe.
    while let Ok(1..) = reader.read_until(b'\n', &mut bytes).await {
        let text = plain(&String::from_utf8_lossy(&bytes));
        bytes.clear();
        {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.kept.push_back(Line { output: name, text });
            if lines.kept.len() > LINES_KEPT {
                lines.kept.pop_front();
                lines.dropped += 1;
            }
        }
        added.send_replace(());
    }
}

/// Returns the line without its end and without terminal colors (`ESC [ … letter`).
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.trim_end_matches(['\n', '\r']);
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    text.push_str(rest);
    text
}

/// The number of lines kept; a Worker that logs requests for days must not fill the memory.
const LINES_KEPT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_removed_and_text_stays() {
        assert_eq!(plain("\u{1b}[33m▲ \u{1b}[43;33m[\u{1b}[0mWARNING] x[0]\u{1b}[0m\r\n"), "▲ [WARNING] x[0]");
    }

    #[tokio::test]
    async fn a_reader_gets_every_line() {
        let log = Log::collect(&b"one\ntwo\nlast"[..], &b"bad \xff\n"[..]);
        let mut follow = log.follow();
        let mut texts = Vec::new();
        while let Some(line) = follow.next().await {
            texts.push(line.text);
        }
        texts.sort();
        assert_eq!(texts, ["bad \u{fffd}", "last", "one", "two"]);
        assert_eq!(log.lines().len(), 4);
        assert_eq!(log.wait_for("three", Duration::from_mins(1)).await, None);
        assert!(log.wait_for("tw", Duration::ZERO).await.is_some());
    }

    #[tokio::test]
    async fn a_long_log_drops_its_first_lines() {
        let numbers: Vec<_> = (0..LINES_KEPT + 5).map(|number| number.to_string()).collect();
        let text = numbers.join("\n");
        let log = Log::collect(std::io::Cursor::new(text), &b""[..]);
        let last = (LINES_KEPT + 4).to_string();
        assert!(log.wait_for(&last, Duration::from_mins(1)).await.is_some());
        assert_eq!(log.lines().len(), LINES_KEPT);
        assert_eq!(log.follow().next().await.unwrap().text, "5");
    }
}
