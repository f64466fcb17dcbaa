//! The headers that a proxy must drop and add, without I/O.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, Url};

use super::facts::RequestFacts;
use super::fields::Fields;
use crate::config::{HOP_BY_HOP, KeySource, is_header_name};
use crate::tenant::TenantId;

/// Returns the headers of a client's request that its onward request must not have: those that apply to one connection
/// only, except an upgrade to WebSocket, and those that claim what only a proxy can know.
#[must_use]
pub fn dropped_from_request(fields: Fields<'_>) -> Vec<&str> {
    let to_websocket = fields.get("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
    let keeps = |name: &str| name == "upgrade" && to_websocket;
    let connection = fields.get("connection");
    let names = fields.iter().map(|(name, _)| name);
    names.filter(|name| (is_hop_by_hop(name, connection) && !keeps(name)) || is_forwarding_header(name)).collect()
}

/// Returns the headers that have the request's API key anywhere in their values, and those among `sources` that have another
/// one. An origin that does not get the key does not get these.
pub fn headers_with_key<'a>(
    fields: Fields<'a>,
    sources: &'a [KeySource],
    key: &'a str,
) -> impl Iterator<Item = &'a str> {
    let is_key = |name: &str, value: &str| sources.iter().any(|source| source.header() == name && source.is_key(value));
    fields.iter().filter(move |(name, value)| value.contains(key) || is_key(name, value)).map(|(name, _)| name)
}

/// Returns the headers of the origin's response that the response to the client must not have.
#[must_use]
pub fn dropped_from_response(fields: Fields<'_>) -> Vec<&str> {
    let connection = fields.get("connection");
    fields.iter().map(|(name, _)| name).filter(|name| is_hop_by_hop(name, connection)).collect()
}

fn is_hop_by_hop(name: &str, connection: Option<&str>) -> bool {
    hop_by_hop(connection).any(|dropped| dropped.eq_ignore_ascii_case(name))
}

/// Returns the headers of a message that apply to one connection only (RFC 9110, section 7.6.1): the well-known ones and
/// those that its `Connection` header names. They are dropped in both directions.
pub fn hop_by_hop(connection: Option<&str>) -> impl Iterator<Item = &str> {
    let named = connection.unwrap_or_default().split(',').map(str::trim).filter(|name| is_header_name(name));
    HOP_BY_HOP.into_iter().chain(named)
}

/// Returns the headers that describe a request's client and URL to the origin. `None`: it gets none. What the client
/// itself claims is not trusted, see [`is_forwarding_header`].
///
/// `subject` is that of a verified token. What a header cannot carry is percent-encoded, and so is `%`.
pub fn forwarded(
    facts: &RequestFacts,
    url: &Url,
    tenant: Option<&TenantId>,
    subject: Option<&str>,
) -> [(&'static str, Option<String>); 5] {
    [
        ("x-forwarded-for", facts.address.map(|address| address.to_string())),
        ("x-forwarded-proto", Some(url.scheme().to_owned())),
        ("x-forwarded-host", Some(url[Position::BeforeHost..Position::AfterPort].to_owned())),
        ("sluicegate-tenant", tenant.map(TenantId::to_string)),
        ("sluicegate-subject", subject.map(|subject| utf8_percent_encode(subject, NOT_IN_HEADERS).to_string())),
    ]
}

/// Returns whether a client's header claims what only a proxy can know, and must be dropped. `name` is in lower case. To
/// many origins (CGI, WSGI) `_` in a name equals `-`.
#[must_use]
pub fn is_forwarding_header(name: &str) -> bool {
    let name = if name.contains('_') { Cow::Owned(name.replace('_', "-")) } else { Cow::Borrowed(name) };
    name.starts_with("x-forwarded")
        || OWN_HEADERS.contains(&name.as_ref())
        || FORWARDING_HEADERS.contains(&name.as_ref())
}

/// The headers in which the Worker itself reports to the origin.
const OWN_HEADERS: [&str; 2] = ["sluicegate-subject", "sluicegate-tenant"];

/// The characters other than visible ASCII, and the one that begins an encoded character.
const NOT_IN_HEADERS: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// Headers other than `X-Forwarded-…` in which proxies report to the origin what they have seen.
const FORWARDING_HEADERS: [&str; 39] = [
    // The client's address.
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
    // The method and path.
    "x-envoy-original-path",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    // The host and scheme.
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
    fn headers_named_by_connection_are_dropped() {
        let named = |connection| hop_by_hop(Some(connection)).skip(HOP_BY_HOP.len()).collect::<Vec<_>>();
        assert_eq!(named("x-hop"), ["x-hop"]);
        assert_eq!(named("keep-alive, X-Hop ,,x y, é, \t"), ["keep-alive", "X-Hop"]);
        assert_eq!(hop_by_hop(None).collect::<Vec<_>>(), HOP_BY_HOP);
    }

    #[test]
    fn only_headers_that_a_message_has_are_dropped() {
        let fields = |connection: &str| {
            format!("connection\n{connection}\nhost\na\nupgrade\nWebSocket\nx-hop\n1\nx_real_ip\n2\nx-kept\n\nte\n3\n")
        };
        let (of_request, of_response) = (dropped_from_request, dropped_from_response);
        let named = fields("Upgrade, X-Hop");
        assert_eq!(of_request(Fields::new(&named)), ["connection", "x-hop", "x_real_ip", "te"]);
        assert_eq!(of_response(Fields::new(&named)), ["connection", "upgrade", "x-hop", "te"]);
        let unnamed = fields("close").replace("WebSocket", "h2c");
        assert_eq!(of_request(Fields::new(&unnamed)), ["connection", "upgrade", "x_real_ip", "te"]);
        assert_eq!(of_request(Fields::new("host\na\naccept\n*/*\n")), [""; 0]);
    }

    #[test]
    fn headers_with_a_key_are_found() {
        let found = |sources: &[KeySource], lines: &str| {
            headers_with_key(Fields::new(lines), sources, "sgk_a_b").map(str::to_owned).collect::<Vec<_>>()
        };
        let both = [KeySource::Authorization, KeySource::XApiKey];
        assert_eq!(found(&both, "authorization\nBearer sgk_a_b\nx-api-key\nsgk_a_c\n"), ["authorization", "x-api-key"]);
        assert_eq!(found(&both, "authorization\nbearer  sgk_a_b\nx-api-key\nof the origin\n"), ["authorization"]);
        assert_eq!(found(&both[1..], "authorization\nBearer sgk_a_c\n"), [""; 0]);
        assert_eq!(found(&both, "authorization\nBasic sgk_a_c\nx-other\nsgk_a_c\n"), [""; 0]);
        // The key of the request is found anywhere.
        let elsewhere =
            "authorization\nBasic x, Bearer sgk_a_b\nx_api_key\nsgk_a_b\ncookie\nc=d; k=sgk_a_b\nx-other\nsgk_a_\n";
        assert_eq!(found(&both[1..], elsewhere), ["authorization", "x_api_key", "cookie"]);
    }

    #[test]
    fn the_origin_learns_the_client_from_the_edge_alone() {
        let facts =
            |address| RequestFacts { method: "GET".into(), path: "/".into(), address, ..RequestFacts::default() };
        let acme = TenantId::new("acme").unwrap();
        let of = |url, address, tenant, subject| {
            let (facts, url) = (facts(address), Url::parse(url).unwrap());
            let fields = forwarded(&facts, &url, tenant, subject);
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", value?))).collect::<Vec<_>>()
        };
        let expected = [
            "x-forwarded-for: 2001:db8::1",
            "x-forwarded-proto: https",
            "x-forwarded-host: a.example:8443",
            "sluicegate-tenant: acme",
        ];
        assert_eq!(of("https://a.example:8443/x?y", "2001:db8::1".parse().ok(), Some(&acme), None), expected);
        assert_eq!(
            of("http://a.example?x", None, None, None),
            ["x-forwarded-proto: http", "x-forwarded-host: a.example"]
        );
        let expected = "sluicegate-subject: auth0|%C3%A9%20100%25%0D%0Ax:%201";
        assert_eq!(of("http://a.example", None, None, Some("auth0|é 100%\r\nx: 1"))[2], expected);
    }

    #[test]
    fn forwarding_headers_of_clients_are_dropped() {
        for name in [
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded",
            "x-forwarded_user",
            "sluicegate-tenant",
            "sluicegate_tenant",
            "sluicegate-subject",
            "sluicegate_subject",
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
        assert!(FORWARDING_HEADERS.iter().all(|name| is_header_name(name) && *name == name.to_ascii_lowercase()));
        assert!(
            FORWARDING_HEADERS.iter().all(|name| FORWARDING_HEADERS.iter().filter(|other| *other == name).count() == 1)
        );
    }
}
