//! `If-Match`: changes a tenant only in the version that the client has read (RFC 9110, section 13.1.1).

use crate::config::json::InvalidInput;

/// The condition of an `If-Match` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Precondition {
    /// `*`: the tenant exists.
    Any,
    /// The tenant has one of these entity tags, quotes included.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Parses the header's value. Weak tags (`W/"…"`) are valid and never match.
    pub(super) fn parse(value: &str) -> Result<Self, InvalidInput> {
        if value.trim() == "*" {
            return Ok(Precondition::Any);
        }
        let tags: Option<Vec<String>> = value.split(',').map(tag).collect();
        tags.map(Precondition::OneOf).ok_or_else(|| {
            let problem = "expected * or entity tags like \"0123456789abcdef0123456789abcdef\", in quotes";
            InvalidInput::new("if-match", problem)
        })
    }

    /// Returns whether a tenant with this entity tag may be changed.
    pub(super) fn holds(&self, etag: &str) -> bool {
        match self {
            Precondition::Any => true,
            Precondition::OneOf(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// Parses one entity tag. A tag with a comma is split in two that match nothing: tags of sluicegate have none.
fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    let opaque = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
    let valid = opaque.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    valid.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identical_strong_tags_match() {
        let holds = |value: &str| Precondition::parse(value).unwrap().holds("\"ab\"");
        for (value, expected) in [
            ("*", true),
            (" * ", true),
            ("\"ab\"", true),
            ("\"x\", \"ab\"", true),
            ("\"x\" ,\"ab\" ", true),
            ("W/\"ab\"", false),
            ("\"AB\"", false),
            ("\"\"", false),
        ] {
            assert_eq!(holds(value), expected, "{value}");
        }
    }

    #[test]
    fn malformed_tags_are_refused() {
        for value in ["", "ab", "\"ab", "ab\"", "\"", "\"a\"b\"", "\"ab\",", "\"a b\"", "*, \"ab\"", "\"é\""] {
            assert!(Precondition::parse(value).is_err(), "{value}");
        }
    }
}
