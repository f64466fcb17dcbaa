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

/// The headers that tell the origin for whom and for what a request is forwarded; `None`: the header is dropped. What
/// the client itself says of this is not believed, in whatever header it says it.
pub fn forwarded(
    facts: &Facts,
    url: &Url,
    tenant: Option<&TenantId>,
) -> impl Iterator<Item = (&'static str, Option<String>)> {
    let told = [
        ("x-forwarded-for", facts.address.map(|address| address.to_string())),
        ("x-forwarded-proto", Some(url.scheme().to_owned())),
        ("x-forwarded-host", Some(url[Position::BeforeHost..Position::AfterPort].to_owned())),
        ("sluicegate-tenant", tenant.map(TenantId::to_string)),
    ];
    told.into_iter().chain(CLAIMS.into_iter().map(|name| (name, None)))
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

/// Headers in which proxies and frameworks tell an origin what a proxy has seen, and which it may believe.
const CLAIMS: [&str; 55] = [
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
    "x-forwarded",
    "x-forwarded-by",
    "x-nf-client-connection-ip",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-true-client-ip",
    "x-vercel-forwarded-for",
    // As whom.
    "x-forwarded-client-cert",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    // For what.
    "x-envoy-original-path",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    // Where to, and how.
    "front-end-https",
    "x-forwarded-port",
    "x-forwarded-protocol",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
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
        let facts = |address| Facts { method: "GET".into(), path: "/".into(), address, api_key: None };
        let acme = TenantId::new("acme").unwrap();
        let of = |url, address, tenant| {
            let (facts, url) = (facts(address), Url::parse(url).unwrap());
            let fields = forwarded(&facts, &url, tenant);
            fields.filter_map(|(name, value)| Some(format!("{name}: {}", value?))).collect::<Vec<_>>()
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
        let facts = Facts { method: "GET".into(), path: "/".into(), address: None, api_key: None };
        let url = Url::parse("https://a.example/").unwrap();
        let dropped: Vec<_> =
            forwarded(&facts, &url, None).filter_map(|(name, value)| value.is_none().then_some(name)).collect();
        for name in ["x-forwarded-for", "sluicegate-tenant", "forwarded", "x-client-ip", "x-original-url", "x-host"] {
            assert!(dropped.contains(&name), "{name}");
        }
        assert!(dropped.iter().all(|name| is_token(name) && *name == name.to_ascii_lowercase()));
        assert!(CLAIMS.iter().all(|name| CLAIMS.iter().filter(|other| *other == name).count() == 1));
        assert!(!CLAIMS.contains(&"x-forwarded-proto") && !CLAIMS.contains(&"x-forwarded-host"), "they are told");
    }
}
