//! What a forwarded message must not carry, and what it must say: the rules of the proxy, without its I/O.

use std::borrow::Cow;

use url::{Position, Url};

use super::facts::RequestFacts;
use crate::config::is_header_name;
use crate::tenant::TenantId;

/// The headers of a message that hold for one connection only (RFC 9110, section 7.6.1): the well-known ones, and
/// those that its `Connection` header names. They are dropped in both directions.
///
/// `trailer` is among them because the Workers runtime passes no trailers on.
pub fn hop_by_hop(connection: Option<&str>) -> impl Iterator<Item = &str> {
    let named = connection.unwrap_or_default().split(',').map(str::trim).filter(|name| is_header_name(name));
    WELL_KNOWN.into_iter().chain(named)
}

/// The headers that tell the origin for whom and for what a request is forwarded; `None`: the header is dropped. What
/// the client itself says of this is not believed, in whatever header it says it.
pub fn forwarded(facts: &RequestFacts, url: &Url, tenant: Option<&TenantId>) -> [(&'static str, Option<String>); 4] {
    [
        ("x-forwarded-for", facts.address.map(|address| address.to_string())),
        ("x-forwarded-proto", Some(url.scheme().to_owned())),
        ("x-forwarded-host", Some(url[Position::BeforeHost..Position::AfterPort].to_owned())),
        ("sluicegate-tenant", tenant.map(TenantId::to_string)),
    ]
}

/// Whether a client's header, its name in lower case, says what only a proxy can know: it is dropped. For many origins
/// (CGI, WSGI) `_` in a name is `-`.
#[must_use]
pub fn is_forwarding_header(name: &str) -> bool {
    let name = if name.contains('_') { Cow::Owned(name.replace('_', "-")) } else { Cow::Borrowed(name) };
    name.starts_with("x-forwarded") || name == "sluicegate-tenant" || CLAIMS.contains(&name.as_ref())
}

const WELL_KNOWN: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers beside `X-Forwarded-…` in which proxies and frameworks tell an origin what a proxy has seen, and which it may believe.
const CLAIMS: [&str; 39] = [
    // Who asks.
    "ali-cdn-real-ip",
    "cdn-src-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "client-ip",
    "do-connecting-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "forwarded-for",
    "incap-client-ip",
    "proxy-client-ip",
    "true-client-ip",
    "wl-proxy-client-ip",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-nf-client-connection-ip",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-true-client-ip",
    "x-vercel-forwarded-for",
    // As whom.
    // For what.
    "x-envoy-original-path",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    // Where to, and how.
    "front-end-https",
    "x-host",
    "x-http-host-override",
    "x-original-host",
    "x-original-proto",
    "x-url-scheme",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_connection_names_is_dropped_too() {
        let named = |connection| hop_by_hop(Some(connection)).skip(WELL_KNOWN.len()).collect::<Vec<_>>();
        assert_eq!(named("x-hop"), ["x-hop"]);
        assert_eq!(named("keep-alive, X-Hop ,,x y, é, \t"), ["keep-alive", "X-Hop"]);
        assert_eq!(hop_by_hop(None).collect::<Vec<_>>(), WELL_KNOWN);
    }

    #[test]
    fn the_origin_learns_who_asks_from_the_edge_alone() {
        let facts = |address| RequestFacts { method: "GET".into(), path: "/".into(), address, api_key: None };
        let acme = TenantId::new("acme").unwrap();
        let of = |url, address, tenant| {
            let (facts, url) = (facts(address), Url::parse(url).unwrap());
            let fields = forwarded(&facts, &url, tenant);
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", value?))).collect::<Vec<_>>()
        };
        let told = [
            "x-forwarded-for: 2001:db8::1",
            "x-forwarded-proto: https",
            "x-forwarded-host: a.example:8443",
            "sluicegate-tenant: acme",
        ];
        assert_eq!(of("https://a.example:8443/x?y", "2001:db8::1".parse().ok(), Some(&acme)), told);
        assert_eq!(of("http://a.example?x", None, None), ["x-forwarded-proto: http", "x-forwarded-host: a.example"]);
    }

    #[test]
    fn what_clients_claim_is_dropped_whatever_the_header() {
        for name in [
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded",
            "x-forwarded_user",
            "sluicegate-tenant",
            "sluicegate_tenant",
            "forwarded",
            "x-client-ip",
            "x-original-url",
            "x-host",
        ] {
            assert!(is_forwarding_header(name), "{name}");
        }
        for name in ["host", "authorization", "x-request-id", "forwarded-by-hand", "traceparent", "cookie"] {
            assert!(!is_forwarding_header(name), "{name}");
        }
        assert!(CLAIMS.iter().all(|name| is_header_name(name) && *name == name.to_ascii_lowercase()));
        assert!(CLAIMS.iter().all(|name| CLAIMS.iter().filter(|other| *other == name).count() == 1));
    }
}
