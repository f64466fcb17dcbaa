//! The ways to identify a client.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

use super::header_name::is_header_name;
use super::suggestion::unknown;

/// A way to identify a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identify {
    /// By API key: the client is the key's tenant.
    ApiKey,
    /// By a JSON Web Token: the client is the token's subject.
    Jwt,
    /// By the client's address.
    Address,
    /// By the value of the header with this name, in lower case. It is believed.
    Header(String),
}

impl fmt::Display for Identify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identify::ApiKey => f.write_str("api_key"),
            Identify::Jwt => f.write_str("jwt"),
            Identify::Address => f.write_str("address"),
            Identify::Header(name) => write!(f, "header:{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Identify {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Way)
    }
}

/// Parses the text of a way.
struct Way;

impl Visitor<'_> for Way {
    type Value = Identify;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Identify, E> {
        let name = text.strip_prefix("header:").map(str::to_ascii_lowercase);
        match (text, name) {
            ("api_key", _) => Ok(Identify::ApiKey),
            ("jwt", _) => Ok(Identify::Jwt),
            ("address", _) => Ok(Identify::Address),
            (_, Some(name)) if CREDENTIALS.contains(&name.as_str()) => {
                Err(E::custom(format!("{name:?} carries secrets, which must not become the name of a client")))
            }
            (_, Some(name)) if is_header_name(&name) => Ok(Identify::Header(name)),
            (_, Some(name)) => {
                Err(E::custom(format!("expected the name of a header after \"header:\", found {name:?}")))
            }
            _ => Err(E::custom(unknown("identity", text, &KNOWN))),
        }
    }
}

const KNOWN: [&str; 4] = ["api_key", "jwt", "address", "header:NAME"];

/// Headers whose values would appear in the keys of Redis and in the log.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
