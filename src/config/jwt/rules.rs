//! What a token must claim to identify its sender.

/// The rules for JSON Web Tokens: where a client sends its token, which keys verify it, and what it must claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtRules {
    /// Where the public keys come from.
    pub keys: KeysFrom,
    /// The only value of `iss` that is accepted.
    pub issuer: String,
    /// The values of `aud` that are accepted: a token must have at least one of them.
    pub audience: Vec<String>,
    /// The claim that names the subject.
    pub subject_claim: String,
    /// The claim that names the subject's plan, if one does.
    pub plan_claim: Option<String>,
    /// The header that carries the token, in lower case. In `authorization`, `Bearer` comes before it.
    pub header: String,
}

/// Where the public keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysFrom {
    /// A JSON Web Key Set at this URL, which may change.
    Url(String),
    /// A JSON Web Key Set in the variable of this name.
    Variable(String),
}

impl JwtRules {
    /// Returns the token in a header's value. Returns `None` for anything without the shape of a token in three parts, such
    /// as an API key or a token that only the origin understands.
    #[must_use]
    pub fn token_in<'a>(&self, value: &'a str) -> Option<&'a str> {
        let token = if self.header == AUTHORIZATION {
            let (scheme, credentials) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(credentials)?
        } else {
            value
        };
        let token = token.trim();
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let dots = token.bytes().filter(|byte| *byte == b'.').count();
        (dots == 2 && token.bytes().all(is_base64url)).then_some(token)
    }
}

/// The header that carries a token by default (RFC 6750, section 2.1).
pub(in crate::config) const AUTHORIZATION: &str = "authorization";

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(header: &str) -> JwtRules {
        JwtRules {
            keys: KeysFrom::Variable("KEYS".to_owned()),
            issuer: "i".to_owned(),
            audience: vec!["a".to_owned()],
            subject_claim: "sub".to_owned(),
            plan_claim: None,
            header: header.to_owned(),
        }
    }

    #[test]
    fn only_texts_in_three_parts_are_tokens() {
        for (value, found) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer  eyJ_-9.e30. ", Some("eyJ_-9.e30.")),
            ("Bearer a.b", None),
            ("Bearer a.b.c.d.e", None),
            ("Bearer a.b.c d", None),
            ("Bearer a.b.c=", None),
            ("Bearer sgk_acme_x", None),
            ("Basic a.b.c", None),
            ("a.b.c", None),
            ("", None),
        ] {
            assert_eq!(rules("authorization").token_in(value), found, "{value}");
        }
        assert_eq!(rules("cf-access-jwt-assertion").token_in("a.b.c"), Some("a.b.c"));
        assert_eq!(rules("cf-access-jwt-assertion").token_in("Bearer a.b.c"), None);
    }
}
