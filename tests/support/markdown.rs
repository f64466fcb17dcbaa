//! Parts of a document in Markdown.

use std::path::Path;

/// Returns the text of a file of this repository.
pub(crate) fn document(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the parts of a text that are in backticks.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the text below a heading, up to the next heading of any level.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let below = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    below.split("\n#").next().unwrap()
}

/// Returns the cells of the first table in a text, without its head.
pub(crate) fn table(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Returns the blocks of code in one language, each with the heading above it. A block in a list is indented.
pub(crate) fn blocks<'a>(text: &'a str, language: &str) -> Vec<(&'a str, String)> {
    let (mut heading, mut blocks, mut block) = ("", Vec::new(), None::<String>);
    for line in text.lines() {
        match &mut block {
            Some(code) if line.trim() == "```" => blocks.push((heading, std::mem::take(code))),
            Some(code) => {
                code.push_str(line);
                code.push('\n');
                continue;
            }
            None if line.starts_with('#') => heading = line.trim_start_matches('#').trim(),
            None => {}
        }
        block = (line.trim() == format!("```{language}")).then(String::new);
    }
    blocks
}
