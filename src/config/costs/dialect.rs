//! Names for the pointers of well-known APIs.

use serde::Deserialize;

use super::amount::Weight;
use super::pointer::{Pointer, Pointers};
use super::sum::{BodyFormat, Sum, Term, terms_of};

/// An API whose responses tell the number of tokens in a known place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename = "dialect", rename_all = "snake_case")]
pub enum Dialect {
    /// `OpenAI` and what speaks like it: chat completions, completions, embeddings, responses.
    Openai,
    /// Anthropic's messages.
    Anthropic,
}

/// A number that a dialect has a name for.
struct Named {
    name: &'static str,
    /// In a JSON body. The first that points to a number counts.
    json: &'static [&'static str],
    /// In the events of a stream.
    events: &'static [&'static str],
    is_optional: bool,
}

impl Dialect {
    /// Returns the name in the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Dialect::Openai => "openai",
            Dialect::Anthropic => "anthropic",
        }
    }

    /// Returns the sum of all tokens.
    #[must_use]
    pub fn all_tokens(self) -> &'static str {
        match self {
            Dialect::Openai => "input + output",
            Dialect::Anthropic => "input + cache_write + cache_read + output",
        }
    }

    /// Parses a sum of names like `input + 4*output`, as it stands in bodies of this format, and adds its pointers to the
    /// set.
    ///
    /// # Errors
    /// Returns the problem.
    pub(super) fn sum(self, text: &str, format: BodyFormat, pointers: &mut Pointers) -> Result<Sum, String> {
        let mut terms = Vec::new();
        for (weight, name) in terms_of(text)? {
            terms.push(self.term(weight, name, format, pointers)?);
        }
        Ok(Sum::new(terms))
    }

    fn term(self, weight: Weight, name: &str, format: BodyFormat, pointers: &mut Pointers) -> Result<Term, String> {
        let known = self.names();
        let Some(named) = known.iter().find(|named| named.name == name) else {
            let known: Vec<&str> = known.iter().map(|named| named.name).collect();
            return Err(format!(
                "unknown name {name:?} (known: {}; a header is written header:NAME)",
                known.join(", ")
            ));
        };
        let texts = match format {
            BodyFormat::Json => named.json,
            BodyFormat::Events => named.events,
        };
        let places: Result<Vec<usize>, String> =
            texts.iter().map(|text| Pointer::parse(text).and_then(|pointer| pointers.add(pointer))).collect();
        Ok(Term { weight, places: places?, is_optional: named.is_optional })
    }

    fn names(self) -> &'static [Named] {
        match self {
            Dialect::Openai => &OPENAI,
            Dialect::Anthropic => &ANTHROPIC,
        }
    }
}

/// Chat completions tell `prompt_tokens`, responses `input_tokens`: the API reference of `OpenAI`, "The chat completion
/// object" and "The response object". A stream of the latter has the whole response in its last event.
const OPENAI: [Named; 2] = [
    Named {
        name: "input",
        json: &["/usage/prompt_tokens", "/usage/input_tokens"],
        events: &["/usage/prompt_tokens", "/response/usage/input_tokens"],
        is_optional: false,
    },
    // Embeddings have none.
    Named {
        name: "output",
        json: &["/usage/completion_tokens", "/usage/output_tokens"],
        events: &["/usage/completion_tokens", "/response/usage/output_tokens"],
        is_optional: true,
    },
];

/// A stream tells its numbers in `message_start`, and in each `message_delta` those that have changed, cumulative: the API
/// reference of Anthropic, "Streaming messages". `input_tokens` does not include what a cache holds.
const ANTHROPIC: [Named; 4] = [
    Named {
        name: "input",
        json: &["/usage/input_tokens"],
        events: &["/usage/input_tokens", "/message/usage/input_tokens"],
        is_optional: false,
    },
    Named {
        name: "output",
        json: &["/usage/output_tokens"],
        events: &["/usage/output_tokens", "/message/usage/output_tokens"],
        is_optional: false,
    },
    Named {
        name: "cache_write",
        json: &["/usage/cache_creation_input_tokens"],
        events: &["/usage/cache_creation_input_tokens", "/message/usage/cache_creation_input_tokens"],
        is_optional: true,
    },
    Named {
        name: "cache_read",
        json: &["/usage/cache_read_input_tokens"],
        events: &["/usage/cache_read_input_tokens", "/message/usage/cache_read_input_tokens"],
        is_optional: true,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_valid_pointers_in_both_formats() {
        for dialect in [Dialect::Openai, Dialect::Anthropic] {
            for format in [BodyFormat::Json, BodyFormat::Events] {
                let mut pointers = Pointers::default();
                dialect.sum(dialect.all_tokens(), format, &mut pointers).unwrap();
                assert!(!pointers.is_empty());
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let problem = Dialect::Openai.sum("input + outputs", BodyFormat::Json, &mut Pointers::default()).unwrap_err();
        assert_eq!(problem, "unknown name \"outputs\" (known: input, output; a header is written header:NAME)");
    }
}
