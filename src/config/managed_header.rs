//! The headers that the configuration cannot set or remove.

use std::borrow::Cow;

/// The well-known headers that apply to one connection only (RFC 9110, section 7.6.1). A proxy never forwards them.
///
/// `trailer` is included because the Workers runtime does not forward trailers.
pub const HOP_BY_HOP: [&str; 9] = [
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

/// Returns whether sluicegate, the runtime or the edge decides about this header of an onward request. `name` is in lower
/// case. To many origins (CGI, WSGI) `_` in a name equals `-`.
pub(super) fn is_managed_header(name: &str) -> bool {
    let name = if name.contains('_') { Cow::Owned(name.replace('_', "-")) } else { Cow::Borrowed(name) };
    let is_ours = name.starts_with("sluicegate-") || name.starts_with("sec-websocket-");
    is_ours || HOP_BY_HOP.contains(&name.as_ref()) || MANAGED.contains(&name.as_ref())
}

/// Managed headers that are not hop-by-hop.
const MANAGED: [&str; 10] = [
    // The message itself.
    "content-length",
    "expect",
    "host",
    // What sluicegate tells the origin about the client.
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    // Cloudflare's own.
    "cdn-loop",
    "cf-connecting-ip",
    "cf-ray",
    "cf-worker",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_headers_have_other_spellings() {
        for name in ["host", "te", "x_forwarded_for", "sluicegate-tenant", "sluicegate_subject", "sec-websocket-key"] {
            assert!(is_managed_header(name), "{name}");
        }
        for name in ["authorization", "cookie", "x-api-key", "cf-access-client-id", "x-forwarded-prefix", "accept"] {
            assert!(!is_managed_header(name), "{name}");
        }
    }
}
