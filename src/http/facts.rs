//! The facts of a request, as plain data.

use std::net::IpAddr;

use super::fields::Fields;
use crate::config::Config;

/// The facts on which a decision depends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// The request's method, in capitals.
    pub method: String,
    /// The path as received, without the query.
    pub path: String,
    /// The client's address, or `None` if the edge reports none or an invalid one.
    pub address: Option<IpAddr>,
    /// The API key, not yet verified.
    pub api_key: Option<String>,
    /// What may be a JSON Web Token, not yet verified.
    pub token: Option<String>,
    /// The headers that identify clients by configuration, with names in lower case. Headers without a value are left out.
    pub identity_headers: Vec<(String, String)>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// The origin: the request is checked, then forwarded.
    Origin,
    /// `/_sluicegate/health`.
    Health,
    /// A file of the console or of the demo page.
    Page,
    /// The admin and check API: the path below `/_sluicegate/v1`, with its slash.
    Api(&'a str),
    /// A path below `/_sluicegate/` that does not exist.
    Unknown,
}

impl RequestFacts {
    /// Reads the facts of a request for `path`. The client address comes from Cloudflare's own header only. Without a
    /// configuration, the request has no key, no token and nothing else that identifies its client.
    #[must_use]
    pub fn read(method: &str, path: &str, fields: Fields<'_>, config: Option<&Config>) -> Self {
        let sources = config.map_or(&[][..], Config::key_sources);
        let token = config.and_then(|config| config.jwt.as_ref()).and_then(|rules| {
            let value = fields.get(&rules.header)?;
            rules.token_in(value)
        });
        let named = config.into_iter().flat_map(Config::identity_headers);
        let named = named.filter_map(|name| Some((name, fields.get(name).filter(|value| !value.is_empty())?)));
        RequestFacts {
            method: method.to_owned(),
            path: path.to_owned(),
            address: fields.get(CLIENT_ADDRESS).and_then(|address| address.parse().ok()),
            api_key: sources.iter().find_map(|source| source.key_in(fields.get(source.header())?)),
            token: token.map(str::to_owned),
            identity_headers: named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }

    /// Returns the destination: paths below `/_sluicegate/` are ours, all others belong to the origin.
    #[must_use]
    pub fn destination(&self) -> Destination<'_> {
        match self.path.strip_prefix("/_sluicegate/") {
            None => Destination::Origin,
            Some("health") => Destination::Health,
            Some(rest) if PAGES.contains(&rest.split('/').next().unwrap_or_default()) => Destination::Page,
            Some(rest) => match rest.strip_prefix("v1") {
                Some(path) if path.starts_with('/') => Destination::Api(path),
                _ => Destination::Unknown,
            },
        }
    }
}

/// The header in which Cloudflare reports the client's address. No client can send it.
pub const CLIENT_ADDRESS: &str = "cf-connecting-ip";

/// The folders of static files below `/_sluicegate/`.
const PAGES: [&str; 2] = ["console", "demo"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_prefix_is_ours() {
        use Destination::{Api, Health, Origin, Page, Unknown};
        for (path, destination) in [
            ("/", Origin),
            ("/hello", Origin),
            ("/_sluicegate", Origin),
            ("/_sluicegates/health", Origin),
            ("/x/_sluicegate/health", Origin),
            ("//_sluicegate/health", Origin),
            ("/_SLUICEGATE/health", Origin),
            ("/_sluicegate/health", Health),
            ("/_sluicegate/health/", Unknown),
            ("/_sluicegate/demo", Page),
            ("/_sluicegate/demo/", Page),
            ("/_sluicegate/demo/index.html", Page),
            ("/_sluicegate/demolition", Unknown),
            ("/_sluicegate/console", Page),
            ("/_sluicegate/console/main.js", Page),
            ("/_sluicegate/consoles", Unknown),
            ("/_sluicegate/v1/console", Api("/console")),
            ("/_sluicegate/v1/tenants", Api("/tenants")),
            ("/_sluicegate/v1/", Api("/")),
            ("/_sluicegate/v1", Unknown),
            ("/_sluicegate/v10/tenants", Unknown),
        ] {
            let facts = RequestFacts { method: "GET".into(), path: path.into(), ..RequestFacts::default() };
            assert_eq!(facts.destination(), destination, "{path}");
        }
    }
}
