//! The value of a header that a route sets, with references to secrets.

use super::origin_secrets::OriginSecrets;

/// A header value: text, and references to secrets like `{secret:ORIGIN_NAME}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeaderValue {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The name of a secret.
    Secret(String),
}

impl HeaderValue {
    /// Parses a value.
    ///
    /// # Errors
    /// Returns the problem if the text cannot be a header value, or if it names another secret than those for an origin.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.trim() != text {
            return Err(format!("expected a value that does not begin or end with a space, found {text:?}"));
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(format!("has a character that is not visible ASCII, found {text:?}"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, reference)) = rest.split_once(OPEN) {
            let Some((name, after)) = reference.split_once('}') else {
                return Err(format!("expected \"{{secret:NAME}}\", found {text:?} (the closing brace is missing)"));
            };
            if !is_origin_secret(name) {
                let rule = format!("only secrets whose names begin with {PREFIX:?} may be sent to an origin");
                return Err(format!("names the secret {name:?} ({rule})"));
            }
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(Part::Secret(name.to_owned()));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        Ok(HeaderValue { parts })
    }

    /// Returns the names of the secrets in it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Appends the value with its secrets to `text`. Returns `None` if one of them is missing.
    pub(super) fn push_to(&self, text: &mut String, secrets: &OriginSecrets) -> Option<()> {
        for part in &self.parts {
            text.push_str(match part {
                Part::Text(part) => part,
                Part::Secret(name) => secrets.reveal(name)?,
            });
        }
        Some(())
    }
}

/// Returns whether a secret may be sent to an origin. No token of sluicegate has such a name.
#[must_use]
pub fn is_origin_secret(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

const OPEN: &str = "{secret:";
const PREFIX: &str = "ORIGIN_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_anywhere() {
        let secrets = OriginSecrets::new([("ORIGIN_A", "first"), ("ORIGIN_B", "second")]);
        for (text, expected) in [
            ("plain", "plain"),
            ("Bearer {secret:ORIGIN_A}", "Bearer first"),
            ("{secret:ORIGIN_A}:{secret:ORIGIN_B};", "first:second;"),
            ("{\"a\": {}}", "{\"a\": {}}"),
            ("{secret}", "{secret}"),
        ] {
            let (value, mut written) = (HeaderValue::parse(text).unwrap(), String::new());
            assert_eq!((value.push_to(&mut written, &secrets), written.as_str()), (Some(()), expected));
        }
        let other = HeaderValue::parse("{secret:ORIGIN_C}").unwrap();
        assert_eq!(other.secrets().collect::<Vec<_>>(), ["ORIGIN_C"]);
        assert_eq!(other.push_to(&mut String::new(), &secrets), None);
    }

    #[test]
    fn only_secrets_for_an_origin_may_be_named() {
        for name in
            ["UPSTASH_REDIS_REST_TOKEN", "SLUICEGATE_ADMIN_TOKEN", "ORIGIN", "ORIGIN_", "ORIGIN_A B", "origin_a", ""]
        {
            let error = HeaderValue::parse(&format!("Bearer {{secret:{name}}}")).unwrap_err();
            let expected = format!(
                "names the secret {name:?} (only secrets whose names begin with \"ORIGIN_\" may be sent to an origin)"
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn a_value_that_no_header_can_have_is_refused() {
        for text in ["", " a", "a ", "a\nx-b: c", "ü", "Bearer {secret:ORIGIN_A"] {
            assert!(HeaderValue::parse(text).is_err(), "{text}");
        }
    }
}
