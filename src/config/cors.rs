//! Which web pages may read responses across origins.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// The rules for browsers that send requests from pages of other origins (Fetch standard, "CORS protocol").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// The origins of these pages.
    pub origins: CorsOrigins,
    /// Whether pages may read responses to requests with credentials, such as cookies. Never together with
    /// [`CorsOrigins::Any`].
    pub credentials: bool,
    /// What to do with a preflight.
    pub preflight: Preflight,
}

/// The origins whose pages may read responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// All.
    Any,
    /// These.
    Listed(Vec<SerializedOrigin>),
}

/// The origin of a page as browsers send it, such as `https://app.example.com`: scheme, host, and the port unless it is the
/// scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerializedOrigin(String);

/// What to do with a CORS preflight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename = "way to handle a preflight", rename_all = "snake_case")]
pub enum Preflight {
    /// Forward it to the origin, which answers it.
    #[default]
    Forward,
    /// Answer it: every method and header is allowed to the pages that may read responses.
    Answer,
}

impl Cors {
    /// Returns whether pages of the origin with this serialization may read responses.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        match &self.origins {
            CorsOrigins::Any => true,
            CorsOrigins::Listed(origins) => origins.iter().any(|listed| listed.0 == origin),
        }
    }
}

impl SerializedOrigin {
    /// Parses an origin as a browser sends it.
    ///
    /// # Errors
    /// Returns the problem if no browser sends this text.
    pub fn new(text: &str) -> Result<Self, String> {
        let expected =
            |remedy: &str| format!("expected an origin like \"https://app.example.com\", found {text:?}{remedy}");
        if text == "*" {
            return Err("does not belong into a list (write origins = \"*\")".to_owned());
        }
        if text == "null" {
            return Err(
                "is the origin of every sandboxed page and local file, whoever made it (list real origins)".to_owned()
            );
        }
        if text.contains('*') {
            return Err(expected(" (there are no wildcards: list each origin)"));
        }
        let url = Url::parse(text).map_err(|_| expected(""))?;
        // Of other schemes, such as those of apps and extensions, the URL standard has no origin.
        let serialized = match url.origin() {
            origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
            url::Origin::Opaque(_) => {
                let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
                let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| expected(""))?;
                format!("{}://{host}{port}", url.scheme())
            }
        };
        if serialized != text {
            return Err(expected(&format!(" (did you mean {serialized:?}?)")));
        }
        Ok(SerializedOrigin(serialized))
    }
}

impl fmt::Display for SerializedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        for text in [
            "https://app.example.com",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        ] {
            assert_eq!(SerializedOrigin::new(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused_with_a_remedy() {
        for (text, problem) in [
            ("", "found \"\""),
            ("app.example.com", "found \"app.example.com\""),
            ("https://app.example.com/", "(did you mean \"https://app.example.com\"?)"),
            ("https://app.example.com/x?y#z", "(did you mean \"https://app.example.com\"?)"),
            ("https://app.example.com:443", "(did you mean \"https://app.example.com\"?)"),
            ("https://App.Example.com", "(did you mean \"https://app.example.com\"?)"),
            ("https://user@app.example.com", "(did you mean \"https://app.example.com\"?)"),
            ("https://bücher.example", "found \"https://bücher.example\""),
            ("Capacitor://localhost/", "(did you mean \"capacitor://localhost\"?)"),
            ("https://*.example.com", "(there are no wildcards: list each origin)"),
            ("mailto:a@example.com", "found \"mailto:a@example.com\""),
            ("file:///x", "found \"file:///x\""),
            ("*", "does not belong into a list (write origins = \"*\")"),
            ("null", "is the origin of every sandboxed page and local file"),
        ] {
            let error = SerializedOrigin::new(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn origins_are_compared_as_a_whole() {
        let origins = |origins| Cors { origins, credentials: false, preflight: Preflight::Forward };
        let listed = origins(CorsOrigins::Listed(vec![SerializedOrigin::new("https://app.example.com").unwrap()]));
        assert!(listed.allows("https://app.example.com"));
        for other in [
            "https://app.example.com.evil.example",
            "https://app.example.co",
            "http://app.example.com",
            "",
            "null",
            "*",
        ] {
            assert!(!listed.allows(other), "{other}");
            assert!(origins(CorsOrigins::Any).allows(other));
        }
    }
}
