//! A token as a client sends it: a JSON Web Signature in its compact form (RFC 7515, section 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::invalid::InvalidToken;
use crate::config::json;
use crate::config::jwt::SignatureAlgorithm;

/// A parsed token. Nothing of it is verified, so nothing of it can be read outside this room.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// The complete text.
    text: String,
    /// The length of the part that is signed: header and claims.
    signed: usize,
    pub(super) signature: Vec<u8>,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) kid: Option<String>,
    pub(super) claims: Map<String, Value>,
}

impl Token {
    /// Parses a text in three parts. Returns `None` if its first part is not the header of a token: the text is then a
    /// credential of another kind, which may mean something to the origin.
    ///
    /// Keys that a header brings along or points to (`jwk`, `jku`, `x5c`, `x5u`) are ignored.
    ///
    /// # Errors
    /// Returns the reason if it is a token that cannot be read, or whose algorithm is not accepted.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, InvalidToken>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if text.len() > Token::MAX_BYTES {
            return header.starts_with("ey").then_some(Err(InvalidToken::TooLong));
        }
        let header = URL_SAFE_NO_PAD.decode(header).ok()?;
        if header.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        Some(Token::from_parts(text, signed.len(), &header, claims, signature))
    }

    fn from_parts(
        text: &str,
        signed: usize,
        header: &[u8],
        claims: &str,
        signature: &str,
    ) -> Result<Self, InvalidToken> {
        let header = object(header, "its header is not a JSON object without duplicate keys")?;
        let header_text = |name: &str| header.get(name).and_then(Value::as_str);
        let algorithm = header_text("alg").and_then(SignatureAlgorithm::from_name).ok_or(InvalidToken::Algorithm)?;
        if header.contains_key("crit") {
            return Err(InvalidToken::Critical);
        }
        // RFC 8725, section 3.11: what is issued for another purpose must not be accepted here.
        if let Some(typ) = header.get("typ")
            && !typ.as_str().is_some_and(is_accepted_type)
        {
            return Err(InvalidToken::Type);
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(InvalidToken::Malformed("its kid is not a text")),
        };
        let claims = decode(claims, "its claims are not base64url")?;
        let claims = object(&claims, "its claims are not a JSON object without duplicate keys")?;
        let signature = decode(signature, "its signature is not base64url")?;
        Ok(Token { text: text.to_owned(), signed, signature, algorithm, kid, claims })
    }

    /// Returns the complete text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the bytes that are signed.
    pub(super) fn signed(&self) -> &[u8] {
        self.text.as_bytes().get(..self.signed).unwrap_or_default()
    }

    /// The longest token, in bytes. Those with long lists of groups have up to 8 kB.
    pub const MAX_BYTES: usize = 16 * 1024;
}

fn decode(part: &str, problem: &'static str) -> Result<Vec<u8>, InvalidToken> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidToken::Malformed(problem))
}

fn object(text: &[u8], problem: &'static str) -> Result<Map<String, Value>, InvalidToken> {
    match json::parse(text) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(InvalidToken::Malformed(problem)),
    }
}

/// Returns whether a token of this type may identify a client: any (`JWT`), or an access token (RFC 9068).
fn is_accepted_type(typ: &str) -> bool {
    let (prefix, rest) = typ.split_at_checked("application/".len()).unwrap_or(("", typ));
    let name = if prefix.eq_ignore_ascii_case("application/") { rest } else { typ };
    name.eq_ignore_ascii_case("jwt") || name.eq_ignore_ascii_case("at+jwt")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn with(header: &str, claims: &str) -> Option<Result<Token, InvalidToken>> {
        Token::parse(&format!("{}.{}.{}", encode(header), encode(claims), encode("signature")))
    }

    #[test]
    fn a_token_is_taken_apart() {
        let token =
            with(r#"{"alg":"ES256","kid":"k","typ":"at+jwt","jwk":{},"x":1}"#, r#"{"sub":"é"}"#).unwrap().unwrap();
        assert_eq!((token.algorithm, token.kid.as_deref()), (SignatureAlgorithm::Es256, Some("k")));
        assert_eq!((&token.claims["sub"], &token.signature[..]), (&json!("é"), &b"signature"[..]));
        assert_eq!(token.signed(), token.text().rsplit_once('.').unwrap().0.as_bytes());
    }

    #[test]
    fn texts_without_the_header_of_a_token_are_something_else() {
        for text in
            ["a.b.c", "..", "", "a.b", "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "WzFd.e30.YQ"]
        {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }

    #[test]
    fn refusals_have_a_reason() {
        let (header, claims) = (r#"{"alg":"RS256"}"#, r#"{"sub":"a"}"#);
        let malformed_header = InvalidToken::Malformed("its header is not a JSON object without duplicate keys");
        let malformed_claims = InvalidToken::Malformed("its claims are not a JSON object without duplicate keys");
        for (header, claims, reason) in [
            (r#"{"alg":"none"}"#, claims, InvalidToken::Algorithm),
            (r#"{"alg":"None"}"#, claims, InvalidToken::Algorithm),
            (r#"{"alg":"HS256"}"#, claims, InvalidToken::Algorithm),
            (r#"{"alg":"rs256"}"#, claims, InvalidToken::Algorithm),
            (r#"{"alg":"PS256"}"#, claims, InvalidToken::Algorithm),
            (r#"{"alg":["RS256"]}"#, claims, InvalidToken::Algorithm),
            (r#"{"kid":"k"}"#, claims, InvalidToken::Algorithm),
            (r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, claims, InvalidToken::Critical),
            (r#"{"alg":"RS256","typ":"logout+jwt"}"#, claims, InvalidToken::Type),
            (r#"{"alg":"RS256","typ":"dpop+jwt"}"#, claims, InvalidToken::Type),
            (r#"{"alg":"RS256","typ":1}"#, claims, InvalidToken::Type),
            (r#"{"alg":"RS256","kid":1}"#, claims, InvalidToken::Malformed("its kid is not a text")),
            (r#"{"alg":"none","alg":"RS256"}"#, claims, malformed_header),
            (r#"{"alg":"RS256""#, claims, malformed_header),
            (header, r#"{"sub":"a","sub":"b"}"#, malformed_claims),
            (header, r#"{"act":{"sub":"a","sub":"b"}}"#, malformed_claims),
            (header, "[]", malformed_claims),
            (header, "", malformed_claims),
        ] {
            assert_eq!(with(header, claims), Some(Err(reason)), "{header} {claims}");
        }
        for typ in ["JWT", "jwt", "at+jwt", "application/at+JWT", "Application/jwt"] {
            assert!(with(&format!(r#"{{"alg":"RS256","typ":"{typ}"}}"#), claims).unwrap().is_ok(), "{typ}");
        }
        let header = encode(header);
        for (rest, problem) in
            [("e30.YQ==", "its signature is not base64url"), ("e30=.YQ", "its claims are not base64url")]
        {
            let token = Token::parse(&format!("{header}.{rest}"));
            assert_eq!(token, Some(Err(InvalidToken::Malformed(problem))));
        }
        // Two spellings of the same bytes: the last bits must be zero.
        assert_eq!(
            Token::parse(&format!("{header}.e30.YR")),
            Some(Err(InvalidToken::Malformed("its signature is not base64url")))
        );
    }

    #[test]
    fn the_length_is_bounded() {
        let of_length = |bytes: usize| {
            let start = format!("{}.", encode(r#"{"alg":"RS256"}"#));
            Token::parse(&format!("{start}{}.YQ", "A".repeat(bytes - start.len() - 3)))
        };
        assert_eq!(of_length(Token::MAX_BYTES + 1), Some(Err(InvalidToken::TooLong)));
        assert_ne!(of_length(Token::MAX_BYTES), Some(Err(InvalidToken::TooLong)));
        assert_eq!(Token::parse(&format!("a.b.{}", "c".repeat(Token::MAX_BYTES))), None);
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "\\PC*", header in "\\PC*", claims in "\\PC*") {
            let _ = Token::parse(&text);
            let _ = with(&header, &claims);
            let _ = with(&format!("{{{header}"), &claims);
        }
    }
}
