//! The lines of wrangler that a developer sees.

use sluicegate_devstack::worker::{Follow, Line, Output};

/// Prints the lines that [`Filter`] shows, until the log ends.
pub(crate) async fn relay(mut lines: Follow) {
    let mut filter = Filter::default();
    while let Some(line) = lines.next().await {
        if filter.shows(&line) {
            println!("worker| {}", line.text);
        }
    }
}

/// Shows warnings, errors, the output of builds and the Worker's log; hides wrangler's other lines.
#[derive(Debug, Default)]
struct Filter {
    /// Until the Worker runs, lines on standard output are not the Worker's.
    running: bool,
}

impl Filter {
    fn shows(&mut self, line: &Line) -> bool {
        let text = line.text.trim();
        if let Some((_, rest)) = text.split_once("[wrangler:info]") {
            self.running |= rest.contains("Ready on");
            return false;
        }
        let problem = line.output == Output::Err
            || ["[wrangler:error]", "[wrangler:warn]"].iter().any(|mark| text.starts_with(mark));
        let build = text.strip_prefix("[custom build]").map(str::trim);
        match build {
            Some(text) => !text.is_empty(),
            None => !text.is_empty() && (problem || self.running && !text.starts_with('⎔')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wranglers_own_lines_are_hidden() {
        let lines = [
            ("[custom build] Running: cargo build", true),
            ("[custom build] ", false),
            ("Using secrets defined in .dev.vars", false),
            ("Your Worker has access to the following bindings:", false),
            ("env.ORIGIN (\"(hidden)\")      Environment Variable      local", false),
            ("", false),
            ("⎔ Starting local server...", false),
            ("[wrangler:error] The Workers runtime failed to start", true),
            ("[wrangler:info] Ready on http://127.0.0.1:8787", false),
            ("sluicegate: redis unreachable, on_outage = open", true),
            ("[wrangler:info] GET /hello 200 OK (24ms)", false),
            ("⎔ Reloading local server...", false),
            ("    at Object.fetch (worker.js:5:39)", true),
        ];
        let mut filter = Filter::default();
        for (text, expected) in lines {
            let line = Line { output: Output::Out, text: text.to_owned() };
            assert_eq!(filter.shows(&line), expected, "{text}");
        }
    }

    #[test]
    fn standard_error_is_always_shown() {
        let mut filter = Filter::default();
        let line = |text: &str| Line { output: Output::Err, text: text.to_owned() };
        assert!(filter.shows(&line("▲ [WARNING] something")));
        assert!(!filter.shows(&line("")));
    }
}
