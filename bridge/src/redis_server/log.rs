//! The last lines of a log file.

use std::{fs, path::Path};

/// Returns the last lines joined into one line, or a note that the log is empty.
pub(super) fn last_lines(path: &Path) -> String {
    let log = fs::read(path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.get(lines.len().saturating_sub(LINES)..) {
        Some([]) | None => "its log is empty".to_owned(),
        Some(last) => last.join(" | "),
    }
}

const LINES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(last_lines(&path), "its log is empty");
        fs::write(&path, "1\n2\n\n3\n4\n5\n  6\n").unwrap();
        assert_eq!(last_lines(&path), "2 | 3 | 4 | 5 | 6");
    }
}
