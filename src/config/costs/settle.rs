//! Where a response tells the real cost.

use std::sync::Arc;

use super::dialect::Dialect;
use super::pointer::Pointers;
use super::sum::{BodyFormat, Sum};
use crate::config::header_name::header_name;
use crate::limit::LimitName;

/// Where the response to a request tells its real cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settle {
    rules: Vec<SettleRule>,
    json: Arc<Pointers>,
    events: Arc<Pointers>,
}

/// Where a response tells the cost at one limit, or at all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettleRule {
    /// The limit; `None`: all limits that count the cost.
    pub limit: Option<LimitName>,
    /// The rule as it is written, after the name of the dialect if there is one.
    pub text: String,
    /// The first that has a cost counts.
    pub alternatives: Vec<Alternative>,
}

/// A place for a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alternative {
    /// A header with a whole number; the name is in lower case.
    Header(String),
    /// A sum of numbers in a body of this format.
    Body(BodyFormat, Sum),
}

impl Settle {
    /// Adds a rule, as written: alternatives like `x-tokens-used`, `header:x-tokens-used`, `json:/usage/total_tokens` or
    /// `sse:/usage/total_tokens`, separated by `|`. With a dialect, one without a prefix is a sum of its names.
    ///
    /// # Errors
    /// Returns the problem.
    pub fn add(&mut self, limit: Option<LimitName>, text: &str, dialect: Option<Dialect>) -> Result<(), String> {
        let mut alternatives = Vec::new();
        for text in text.split('|') {
            self.add_alternative(text.trim(), dialect, &mut alternatives)?;
        }
        if alternatives.len() > MAX_ALTERNATIVES {
            return Err(format!("expected at most {MAX_ALTERNATIVES} alternatives, found {}", alternatives.len()));
        }
        let text = dialect.map_or_else(|| text.to_owned(), |dialect| format!("{}: {text}", dialect.name()));
        self.rules.push(SettleRule { limit, text, alternatives });
        Ok(())
    }

    fn add_alternative(
        &mut self,
        text: &str,
        dialect: Option<Dialect>,
        to: &mut Vec<Alternative>,
    ) -> Result<(), String> {
        match (text.split_once(':'), dialect) {
            (Some(("header", name)), _) => to.push(Alternative::Header(header_name(name.trim())?)),
            (Some(("json", sum)), _) => {
                to.push(Alternative::Body(BodyFormat::Json, Sum::parse(sum, Arc::make_mut(&mut self.json))?));
            }
            (Some(("sse", sum)), _) => {
                to.push(Alternative::Body(BodyFormat::Events, Sum::parse(sum, Arc::make_mut(&mut self.events))?));
            }
            (Some((prefix, _)), _) => {
                return Err(format!("expected header:, json: or sse:, found {:?}", format!("{prefix}:")));
            }
            (None, Some(dialect)) => {
                let sum = dialect.sum(text, BodyFormat::Json, Arc::make_mut(&mut self.json))?;
                to.push(Alternative::Body(BodyFormat::Json, sum));
                let sum = dialect.sum(text, BodyFormat::Events, Arc::make_mut(&mut self.events))?;
                to.push(Alternative::Body(BodyFormat::Events, sum));
            }
            (None, None) => to.push(Alternative::Header(header_name(text)?)),
        }
        Ok(())
    }

    /// Returns the rules.
    #[must_use]
    pub fn rules(&self) -> &[SettleRule] {
        &self.rules
    }

    /// Returns the pointers into bodies of this format.
    #[must_use]
    pub fn pointers(&self, format: BodyFormat) -> &Arc<Pointers> {
        match format {
            BodyFormat::Json => &self.json,
            BodyFormat::Events => &self.events,
        }
    }

    /// Returns whether a cost may stand in a body.
    #[must_use]
    pub fn reads_bodies(&self) -> bool {
        !self.json.is_empty() || !self.events.is_empty()
    }
}

/// The most alternatives of a rule.
const MAX_ALTERNATIVES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dialect: Option<Dialect>) -> Result<Settle, String> {
        let mut settle = Settle::default();
        settle.add(None, text, dialect)?;
        Ok(settle)
    }

    #[test]
    fn a_bare_name_is_a_header() {
        for text in ["X-Tokens-Used", "header:X-Tokens-Used", " header: x-tokens-used "] {
            let settle = read(text, None).unwrap();
            assert_eq!(settle.rules()[0].alternatives, [Alternative::Header("x-tokens-used".to_owned())], "{text}");
            assert!(!settle.reads_bodies());
        }
    }

    #[test]
    fn alternatives_share_the_pointers_of_their_format() {
        let settle = read("json:/usage/a + 2*/usage/b | sse:/usage/a | x-cost", None).unwrap();
        assert_eq!((settle.json.len(), settle.events.len()), (2, 1));
        assert_eq!(settle.rules()[0].alternatives.len(), 3);
        assert!(settle.reads_bodies());
        let settle = read("input + 4*output", Some(Dialect::Anthropic)).unwrap();
        assert_eq!((settle.json.len(), settle.events.len()), (2, 4));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, dialect, problem) in [
            ("a b", None, "expected the name of a header, found \"a b\""),
            ("", None, "expected the name of a header, found \"\""),
            ("json:usage", None, "expected a JSON pointer like \"/usage/total_tokens\", found \"usage\""),
            ("xml:/usage", None, "expected header:, json: or sse:, found \"xml:\""),
            ("x-a | ", None, "expected the name of a header, found \"\""),
            ("x-a|x-a|x-a|x-a|x-a|x-a|x-a|x-a|x-a", None, "expected at most 8 alternatives, found 9"),
            (
                "x-tokens-used",
                Some(Dialect::Openai),
                "unknown name \"x-tokens-used\" (known: input, output; a header is written header:NAME)",
            ),
        ] {
            assert_eq!(read(text, dialect).unwrap_err(), problem);
        }
    }
}
