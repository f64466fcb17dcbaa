//! What the edge saw of a request, as plain data.

use std::net::IpAddr;

/// The facts on which a request is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFacts {
    /// The request's method, in capitals as HTTP spells it.
    pub method: String,
    /// The path as it came, without the query.
    pub path: String,
    /// The client's address. `None` when the edge names none or what it names is no address.
    pub address: Option<IpAddr>,
    /// What stands where an API key may stand.
    pub api_key: Option<String>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// The origin: the request is judged, then forwarded.
    Origin,
    /// `/_sluicegate/health`.
    Health,
    /// A file of the demo page.
    Demo,
    /// The admin and check API: the path below `/_sluicegate/v1`, with its slash.
    Api(&'a str),
    /// Below `/_sluicegate/`, but nothing that exists.
    Unknown,
}

impl RequestFacts {
    /// Tells where the request belongs: everything below `/_sluicegate/` is ours, all else is the origin's.
    #[must_use]
    pub fn destination(&self) -> Destination<'_> {
        match self.path.strip_prefix("/_sluicegate/") {
            None => Destination::Origin,
            Some("health") => Destination::Health,
            Some(rest) if rest == "demo" || rest.starts_with("demo/") => Destination::Demo,
            Some(rest) => match rest.strip_prefix("v1") {
                Some(path) if path.starts_with('/') => Destination::Api(path),
                _ => Destination::Unknown,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_prefix_is_ours() {
        use Destination::{Api, Demo, Health, Origin, Unknown};
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
            ("/_sluicegate/demo", Demo),
            ("/_sluicegate/demo/", Demo),
            ("/_sluicegate/demo/index.html", Demo),
            ("/_sluicegate/demolition", Unknown),
            ("/_sluicegate/v1/tenants", Api("/tenants")),
            ("/_sluicegate/v1/", Api("/")),
            ("/_sluicegate/v1", Unknown),
            ("/_sluicegate/v10/tenants", Unknown),
        ] {
            let facts = RequestFacts { method: "GET".into(), path: path.into(), address: None, api_key: None };
            assert_eq!(facts.destination(), destination, "{path}");
        }
    }
}
