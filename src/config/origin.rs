//! Where requests go: a URL, another Worker, or the zone's own origin.

use std::fmt;

use url::{Position, Url};

use super::error::ConfigError;

/// Where allowed requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A server: scheme, host, optional port and optional path, without a trailing slash. The path and the query of each
    /// request follow.
    Url(String),
    /// The Worker behind the service binding with this name. It gets the client's URL.
    Service(String),
    /// The origin that the client's URL has without this Worker. A Worker on a zone's route reaches it by that URL.
    Zone,
}

impl Origin {
    /// Parses an origin as the configuration has it.
    ///
    /// # Errors
    /// Returns the problem, which does not repeat credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == ZONE {
            return Ok(Origin::Zone);
        }
        if let Some(name) = text.strip_prefix(SERVICE) {
            if !is_binding_name(name) {
                return Err(format!("expected \"service:NAME\" with the name of a service binding, found {text:?}"));
            }
            return Ok(Origin::Service(name.to_owned()));
        }
        let url = http_url(text, EXPECTED)?;
        if url.query().is_some() {
            return Err("has a query (requests keep the query they came with)".to_owned());
        }
        Ok(Origin::Url(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Returns the URL of an onward request: that of the client's request at this origin, without the first `strip` segments
    /// of its path.
    ///
    /// If no path is left, the URL ends with the host or with the origin's own path.
    #[must_use]
    pub fn url_for(&self, url: &Url, strip: usize) -> String {
        let base = match self {
            Origin::Url(base) => base,
            Origin::Service(_) | Origin::Zone => &url[..Position::BeforePath],
        };
        format!("{base}{}{}", without_segments(url.path(), strip), &url[Position::AfterPath..Position::AfterQuery])
    }

    /// Returns the path with which the URLs of onward requests begin; empty without one.
    #[must_use]
    pub fn base_path(&self) -> &str {
        let Origin::Url(base) = self else { return "" };
        let path = base.split_once("://").and_then(|(_, rest)| rest.get(rest.find('/')?..));
        path.unwrap_or_default()
    }

    /// Returns the host of the URL, if the origin is a server.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        match self {
            Origin::Url(base) => Url::parse(base).ok()?.host_str().map(str::to_owned),
            Origin::Service(_) | Origin::Zone => None,
        }
    }

    /// Returns the name of the service binding, if the origin is a Worker.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match self {
            Origin::Service(name) => Some(name),
            Origin::Url(_) | Origin::Zone => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Url(base) => f.write_str(base),
            Origin::Service(name) => write!(f, "{SERVICE}{name}"),
            Origin::Zone => f.write_str(ZONE),
        }
    }
}

/// Returns the error about a service binding that `path` names and the Worker does not have. `section` of the wrangler
/// configuration should have it.
#[must_use]
pub fn missing_service(path: &str, name: &str, section: &str) -> ConfigError {
    let remedy = format!("add [[{section}]] with binding = {name:?} and the name of the other Worker as service");
    ConfigError::new(path, format!("the Worker has no service binding {name:?} ({remedy})"))
}

/// Parses an `http` or `https` URL without credentials or fragment. `expected` begins the message about any other text.
pub(super) fn http_url(text: &str, expected: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{expected}: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{expected}, found the scheme {:?}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has credentials in it (a variable is no place for a secret)".to_owned());
    }
    if url.fragment().is_some() {
        return Err("has a fragment (#…)".to_owned());
    }
    Ok(url)
}

/// Returns a path from after its first `count` segments, without the empty ones in between. A slash in what is left stays.
#[must_use]
pub fn without_segments(path: &str, count: usize) -> &str {
    (0..count).fold(path, |path, _| {
        let rest = path.trim_start_matches('/');
        rest.find('/').and_then(|end| rest.get(end..)).unwrap_or_default()
    })
}

fn is_binding_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

const ZONE: &str = "zone";
const SERVICE: &str = "service:";
const EXPECTED: &str = "expected \"https://host\", \"service:NAME\" or \"zone\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn url_for(origin: &str, url: &str, strip: usize) -> String {
        Origin::parse(origin).unwrap().url_for(&Url::parse(url).unwrap(), strip)
    }

    #[test]
    fn an_origin_is_written_as_it_is_read() {
        for text in ["https://api.example.com", "http://127.0.0.1:9000/base/x", "service:API", "zone"] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Origin::parse("https://a.example/base/").unwrap().to_string(), "https://a.example/base");
        assert_eq!(Origin::parse("service:API").unwrap().service(), Some("API"));
        for (origin, path) in [("https://a.example/b/c/", "/b/c"), ("https://a.example/", ""), ("zone", "")] {
            assert_eq!(Origin::parse(origin).unwrap().base_path(), path, "{origin}");
        }
    }

    #[test]
    fn invalid_origins_are_explained() {
        for (text, problem) in [
            ("", "expected \"https://host\", \"service:NAME\" or \"zone\": relative URL without a base"),
            ("Zone", "expected \"https://host\", \"service:NAME\" or \"zone\": relative URL without a base"),
            ("service:", "expected \"service:NAME\" with the name of a service binding, found \"service:\""),
            ("service:a-b", "expected \"service:NAME\" with the name of a service binding, found \"service:a-b\""),
            ("ftp://x", "expected \"https://host\", \"service:NAME\" or \"zone\", found the scheme \"ftp\""),
            ("https://x/?y", "has a query (requests keep the query they came with)"),
            ("https://x/#y", "has a fragment (#…)"),
            ("https://u:hunter2@x", "has credentials in it (a variable is no place for a secret)"),
        ] {
            assert_eq!(Origin::parse(text).unwrap_err(), problem);
        }
    }

    #[test]
    fn the_onward_url_keeps_path_and_query() {
        for path in ["/", "/a//b", "/a%2Fb/c", "//host/x", "/?", "/x?a=%20b&&c=+", "/x?u=https://y/z"] {
            let url = format!("https://edge.example:8443{path}");
            assert_eq!(url_for("http://127.0.0.1:9000/", &url, 0), format!("http://127.0.0.1:9000{path}"));
            assert_eq!(url_for("https://a.example/base/", &url, 0), format!("https://a.example/base{path}"));
            assert_eq!(url_for("service:API", &url, 0), url);
            assert_eq!(url_for("zone", &url, 0), url);
        }
        let url = "https://edge.example/a/../b/%2e%2e/c?d#e";
        assert_eq!(url_for("http://127.0.0.1:9000", url, 0), "http://127.0.0.1:9000/c?d");
    }

    #[test]
    fn stripped_segments_are_those_that_count() {
        for (path, strip, left) in [
            ("/openai/v1/chat?x=/y", 1, "/v1/chat?x=/y"),
            ("/OpenAI//v1/", 1, "//v1/"),
            ("//%6Fpenai/v1", 1, "/v1"),
            ("/openai/", 1, "/"),
            ("/openai", 1, ""),
            ("/openai?x", 1, "?x"),
            ("/a//b/c/d", 2, "/c/d"),
            ("/a", 3, ""),
        ] {
            let url = format!("https://edge.example{path}");
            assert_eq!(url_for("https://a.example/base", &url, strip), format!("https://a.example/base{left}"));
            assert_eq!(url_for("zone", &url, strip), format!("https://edge.example{left}"));
        }
    }
}
