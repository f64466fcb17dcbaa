//! The rules for JSON Web Tokens, as written.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use url::{Host, Url};

use crate::config::environment::is_variable_name;
use crate::config::error::ConfigError;
use crate::config::header_name::header_name;
use crate::config::jwt::{AUTHORIZATION, JwtRules, KeysFrom};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawJwt {
    jwks: String,
    issuer: String,
    #[serde(deserialize_with = "texts")]
    audience: Vec<String>,
    #[serde(default = "default_subject_claim")]
    subject_claim: String,
    plan_claim: Option<String>,
    #[serde(default = "default_header")]
    header: String,
}

impl RawJwt {
    /// Validates the fields and builds the rules.
    pub(super) fn validate(self) -> Result<JwtRules, ConfigError> {
        check_length("jwt.issuer", &self.issuer, MAX_VALUE)?;
        if !(1..=MAX_AUDIENCES).contains(&self.audience.len()) {
            let problem = format!("expected 1 to {MAX_AUDIENCES} values, found {}", self.audience.len());
            return Err(ConfigError::new("jwt.audience", problem));
        }
        for (i, audience) in self.audience.iter().enumerate() {
            check_length(&format!("jwt.audience[{i}]"), audience, MAX_VALUE)?;
        }
        check_length("jwt.subject_claim", &self.subject_claim, MAX_CLAIM)?;
        if let Some(claim) = &self.plan_claim {
            check_length("jwt.plan_claim", claim, MAX_CLAIM)?;
            if *claim == self.subject_claim {
                return Err(ConfigError::new(
                    "jwt.plan_claim",
                    "is the subject_claim, too (a plan is for many subjects)",
                ));
            }
        }
        Ok(JwtRules {
            keys: keys(&self.jwks)?,
            issuer: self.issuer,
            audience: self.audience,
            subject_claim: self.subject_claim,
            plan_claim: self.plan_claim,
            header: header_name(&self.header).map_err(|reason| ConfigError::new("jwt.header", reason))?,
        })
    }
}

/// Parses `jwks`. Whoever can change the keys on their way here can be anybody, so the URL must be encrypted, except on the
/// same machine.
fn keys(text: &str) -> Result<KeysFrom, ConfigError> {
    let error = |problem: String| ConfigError::new("jwt.jwks", problem);
    if let Some(name) = text.strip_prefix("variable:") {
        if is_variable_name(name) {
            return Ok(KeysFrom::Variable(name.to_owned()));
        }
        return Err(error(format!("expected the name of a variable after \"variable:\", found {name:?}")));
    }
    let expected = "expected a URL like \"https://host/path\", or \"variable:NAME\"";
    let url = Url::parse(text).map_err(|problem| error(format!("{expected}: {problem}")))?;
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&url) => {}
        "http" => {
            return Err(error("is not encrypted (use https: whoever changes the keys can be anybody)".to_owned()));
        }
        scheme => return Err(error(format!("{expected}, found the scheme {scheme:?}"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(error("has credentials in it (public keys need none)".to_owned()));
    }
    if url.fragment().is_some() {
        return Err(error("has a fragment (#…)".to_owned()));
    }
    Ok(KeysFrom::Url(url.into()))
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn check_length(path: &str, text: &str, max: usize) -> Result<(), ConfigError> {
    if (1..=max).contains(&text.len()) {
        return Ok(());
    }
    Err(ConfigError::new(path, format!("expected 1 to {max} characters, found {}", text.len())))
}

/// Deserializes a text, or a list of texts.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(Texts)
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = access.next_element::<String>()? {
            if texts.contains(&text) {
                return Err(A::Error::custom(format!("{text:?} is listed twice")));
            }
            texts.push(text);
        }
        Ok(texts)
    }
}

fn default_subject_claim() -> String {
    "sub".to_owned()
}

fn default_header() -> String {
    AUTHORIZATION.to_owned()
}

/// The longest issuer or audience, in bytes. They are URLs.
const MAX_VALUE: usize = 1024;

/// The longest name of a claim, in bytes. Some are URLs.
const MAX_CLAIM: usize = 256;

/// More APIs than share their tokens.
const MAX_AUDIENCES: usize = 16;

#[cfg(test)]
mod tests;
