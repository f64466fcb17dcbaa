//! What a forwarded message must not carry, and what it must say: the rules of the proxy, without its I/O.

use url::{Position, Url};

use crate::facts::Facts;
use crate::tenant::TenantId;

/// The headers of a message that hold for one connection only (RFC 9110, section 7.6.1): the well-known ones, and
/// those that its `Connection` header names. They are dropped in both directions.
///
/// `trailer` is among them because the Workers runtime passes no trailers on.
pub fn hop_by_hop(connection: Option<&str>) -> impl Iterator<Item = &str> {
    let named = connection.unwrap_or_default().split(',').map(str::trim).filter(|name| is_token(name));
    WELL_KNOWN.into_iter().chain(named)
}

/// The headers that tell the origin for whom a request is forwarded; `None`: the header is dropped. What the
/// client itself says of this is not believed, in whatever header it says it.
#[must_use]
pub fn forwarded(facts: &Facts, url: &Url, tenant: Option<&TenantId>) -> [(&'static str, Option<String>); 9] {
    [
        ("x-forwarded-for", facts.address.map(|address| address.to_string())),
        ("x-forwarded-proto", Some(url.scheme().to_owned())),
        ("x-forwarded-host", Some(url[Position::BeforeHost..Position::AfterPort].to_owned())),
        ("x-forwarded-port", None),
        ("x-forwarded-server", None),
        ("forwarded", None),
        ("x-real-ip", None),
        ("true-client-ip", None),
        ("sluicegate-tenant", tenant.map(TenantId::to_string)),
    ]
}

/// Whether a text can be a header's name (RFC 9110, section 5.6.2). The runtime throws when asked for another one.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
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
        let facts = |address| Facts { method: "GET".into(), path: "/".into(), address, api_key: None };
        let acme = TenantId::new("acme").unwrap();
        let of = |url, address, tenant| {
            let fields = forwarded(&facts(address), &Url::parse(url).unwrap(), tenant);
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
}
