//! What a limit counts by, if not by the caller alone.

use std::fmt::{self, Write};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha2::{Digest, Sha256};

/// What a limit counts by: it has one quota for each value, within the caller. The exception is [`By::Everyone`], which
/// has one quota for all callers together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum By {
    /// The client's address, or its network.
    Address,
    /// The value of this header; the name is in lower case.
    Header(Arc<str>),
    /// The first value of this query parameter.
    Query(Arc<str>),
    /// The value of this cookie.
    Cookie(Arc<str>),
    /// The segment of the path at this `:name` of the route.
    Path(Arc<str>),
    /// The country of the client, as two letters.
    Country,
    /// The number of the autonomous system of the client's network.
    Asn,
    /// The route.
    Route,
    /// Nothing: one quota for all callers together.
    Everyone,
}

impl By {
    /// Parses the text of the configuration: `address`, `header:NAME`, and so on.
    ///
    /// # Errors
    /// Returns the problem if the text is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = |kind: &str| text.strip_prefix(kind)?.strip_prefix(':');
        Ok(match text {
            "address" => By::Address,
            "country" => By::Country,
            "asn" => By::Asn,
            "route" => By::Route,
            "everyone" => By::Everyone,
            _ => {
                if let Some(name) = named("header") {
                    By::Header(checked(name, is_token_byte, "the name of a header")?.to_ascii_lowercase().into())
                } else if let Some(name) = named("query") {
                    By::Query(checked(name, |byte| byte.is_ascii_graphic(), "the name of a query parameter")?.into())
                } else if let Some(name) = named("cookie") {
                    By::Cookie(checked(name, is_token_byte, "the name of a cookie")?.into())
                } else if let Some(name) = named("path") {
                    By::Path(
                        checked(name, |byte| byte.is_ascii_graphic(), "the name of a segment of the route")?.into(),
                    )
                } else {
                    return Err(format!("expected {EXPECTED}, found {text:?}"));
                }
            }
        })
    }

    /// Returns whether the value comes from Cloudflare's record of the client (`request.cf`).
    #[must_use]
    pub fn is_place(&self) -> bool {
        matches!(self, By::Country | By::Asn)
    }

    /// Returns what follows the hash tag in the keys of a value: nothing for everyone, otherwise `:by:`, this, and the value.
    /// No two pairs of this and a value have the same text, and none ends within a longer one.
    pub(super) fn key_suffix(&self, value: &[u8]) -> String {
        let (kind, name) = match self {
            By::Everyone => return String::new(),
            By::Address => ("address", None),
            By::Header(name) => ("header", Some(name)),
            By::Query(name) => ("query", Some(name)),
            By::Cookie(name) => ("cookie", Some(name)),
            By::Path(name) => ("path", Some(name)),
            By::Country => ("country", None),
            By::Asn => ("asn", None),
            By::Route => ("route", None),
        };
        let mut suffix = format!(":by:{kind}:");
        if let Some(name) = name {
            suffix.extend(percent_encode(name.as_bytes(), ENCODED));
            suffix.push(':');
        }
        if value.len() > LONGEST_PLAIN || self.is_secret() && !value.is_empty() {
            // No plain value has a `~`.
            suffix.push('~');
            for byte in Sha256::digest(value).iter().take(DIGEST_BYTES) {
                // Writing to a string cannot fail.
                let _ = write!(suffix, "{byte:02x}");
            }
        } else {
            suffix.extend(percent_encode(value, ENCODED));
        }
        suffix
    }

    /// Returns whether a value may be a secret, such as the id of a session: it does not enter a key.
    fn is_secret(&self) -> bool {
        match self {
            By::Cookie(_) => true,
            By::Header(name) => SECRET_HEADERS.contains(&&**name),
            _ => false,
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Address => f.write_str("address"),
            By::Header(name) => write!(f, "header:{name}"),
            By::Query(name) => write!(f, "query:{name}"),
            By::Cookie(name) => write!(f, "cookie:{name}"),
            By::Path(name) => write!(f, "path:{name}"),
            By::Country => f.write_str("country"),
            By::Asn => f.write_str("asn"),
            By::Route => f.write_str("route"),
            By::Everyone => f.write_str("everyone"),
        }
    }
}

fn checked<'a>(name: &'a str, is_valid: fn(u8) -> bool, what: &str) -> Result<&'a str, String> {
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_valid) {
        return Ok(name);
    }
    Err(format!("expected {what} of 1 to {LONGEST_NAME} characters after the colon, found {name:?}"))
}

/// Returns whether the name of a header or a cookie can have this byte (RFC 9110, `tchar`).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

const EXPECTED: &str = "\"address\", \"header:NAME\", \"query:NAME\", \"cookie:NAME\", \"path:NAME\", \"country\", \"asn\", \
                        \"route\" or \"everyone\"";

/// The longest name of a header, a query parameter, a cookie or a segment, in bytes.
const LONGEST_NAME: usize = 64;

/// The longest value that enters a key as it is, in bytes. Of a longer one, the key has a digest.
const LONGEST_PLAIN: usize = 64;

/// 128 bits of SHA-256: nobody finds a value with the digest of another one.
const DIGEST_BYTES: usize = 16;

const SECRET_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// The characters to encode in names and values: everything that could end one of them or the hash tag.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'/').remove(b'-').remove(b'_');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_parsed_and_printed() {
        for text in [
            "address",
            "header:x-user",
            "query:user",
            "cookie:session",
            "path:id",
            "country",
            "asn",
            "route",
            "everyone",
        ] {
            assert_eq!(By::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(By::parse("header:X-User").unwrap(), By::Header("x-user".into()), "headers ignore case");
        assert_eq!(By::parse("query:User").unwrap(), By::Query("User".into()));
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("query:{}", "x".repeat(65));
        for text in
            ["", "addres", "header", "header:", "header:a b", "cookie:a=b", "query:a b", "path:", "everyone:x", &long]
        {
            let problem = By::parse(text).unwrap_err();
            assert!(problem.starts_with("expected ") && problem.contains(", found "), "{problem}");
        }
    }

    #[test]
    fn long_and_secret_values_are_hashed() {
        let of = |by: &str, value: &str| By::parse(by).unwrap().key_suffix(value.as_bytes());
        assert_eq!(of("header:x-user", "ada"), ":by:header:x-user:ada");
        assert_eq!(of("address", "2001:db8::/64"), ":by:address:2001%3Adb8%3A%3A/64");
        assert_eq!(of("header:x-user", ""), ":by:header:x-user:");
        assert_eq!(of("everyone", ""), "");
        assert_eq!(of("query:q", &"x".repeat(64)).len(), ":by:query:q:".len() + 64);
        for hashed in [of("query:q", &"x".repeat(65)), of("cookie:q", "s3cret"), of("header:authorization", "s3cret")] {
            let digest = hashed.rsplit(':').next().unwrap();
            assert!(digest.len() == 33 && digest.starts_with('~') && !hashed.contains("s3cret"), "{hashed}");
        }
        assert_eq!(of("query:q", &"x".repeat(100_000)).len(), ":by:query:q:".len() + 33);
        assert_eq!(of("cookie:q", ""), ":by:cookie:q:", "no value is not a secret");
    }

    fn by() -> impl Strategy<Value = By> {
        prop_oneof![
            Just(By::Address),
            Just(By::Country),
            Just(By::Route),
            "[a-c:{}~%]{1,3}".prop_map(|name| By::Query(name.into())),
            "[a-c~]{1,3}".prop_map(|name| By::Header(name.into())),
            "[a-c~]{1,3}".prop_map(|name| By::Cookie(name.into())),
        ]
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            8 => prop::collection::vec(any::<u8>(), 0..80),
            2 => "[:{}~%/log]{0,12}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 60_000..60_001),
        ]
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_place_in_a_key(by in by(), value in value()) {
            let suffix = by.key_suffix(&value);
            prop_assert!(suffix.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}".contains(&byte)), "{suffix}");
            prop_assert!(suffix.len() <= 12 + 3 * 64 + 1 + 3 * 64);
            let colons = if matches!(by, By::Address | By::Country | By::Route) { 3 } else { 4 };
            prop_assert_eq!(suffix.matches(':').count(), colons, "{}", suffix);
        }

        #[test]
        fn different_values_have_different_keys(a in (by(), value()), b in (by(), value())) {
            prop_assert_eq!(a == b, a.0.key_suffix(&a.1) == b.0.key_suffix(&b.1));
        }
    }
}
