//! Foreign text on a terminal.

/// Escapes control characters, so that foreign text cannot control the terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if hidden(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2J\r\n\u{202e}é"), "a\\u{1b}[2J\\r\\n\\u{202e}é");
    }
}
