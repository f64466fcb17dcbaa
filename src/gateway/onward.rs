//! The request that is sent to the origin.

use std::sync::Arc;

use url::Url;

use crate::config::routes::Route;
use crate::config::{Config, Onward, Origin, OriginSecrets};
use crate::http::forwarding::{dropped_from_request, forwarded, headers_with_key};
use crate::http::{Fields, RequestFacts, push_field};
use crate::tenant::TenantId;

/// An allowed request, with all that decides how it is sent to the origin.
#[derive(Debug, Clone, Copy)]
pub struct AllowedRequest<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Where requests go, unless their route has its own origin.
    pub origin: &'a Origin,
    /// The secrets that routes send to their origins.
    pub secrets: &'a OriginSecrets,
    /// The facts of the request.
    pub facts: &'a RequestFacts,
    /// Its URL.
    pub url: &'a Url,
    /// Its header fields.
    pub fields: Fields<'a>,
    /// Its route.
    pub route: Option<&'a Arc<Route>>,
    /// The tenant of its API key.
    pub tenant: Option<&'a TenantId>,
    /// The subject of its token, verified.
    pub token_subject: Option<&'a str>,
    /// Whether its body was read, so that another one is sent.
    pub body_was_read: bool,
    /// Whether the cost may stand in the body of the response. Then the origin is asked for one without encoding: what
    /// is read on the way is not decoded.
    pub reads_response: bool,
}

/// The request to the origin: the client's, at another URL and with other headers.
#[derive(Debug)]
pub struct OnwardRequest<'a> {
    /// The origin.
    pub origin: &'a Origin,
    /// The URL.
    pub url: String,
    /// The client's headers that are removed.
    pub dropped: Vec<&'a str>,
    /// The headers that are set, in the form of [`Fields`]. Of several with the same name, the last one counts.
    pub set: String,
}

impl<'a> AllowedRequest<'a> {
    /// Returns the request to the origin. Returns `None` if the secrets lack one that the route names: they are those of
    /// another configuration.
    #[must_use]
    pub fn onward(&self) -> Option<OnwardRequest<'a>> {
        let AllowedRequest { config, facts, url, fields, .. } = *self;
        let onward = self.route.map(|route| &route.onward);
        let mut dropped = dropped_from_request(fields);
        let forwards_key = onward.and_then(|onward| onward.forward_key).unwrap_or(config.forward_key);
        if let Some(key) = facts.api_key.as_deref().filter(|_| !forwards_key) {
            dropped.extend(headers_with_key(fields, config.key_sources(), key));
        }
        if self.body_was_read {
            // The runtime knows the length of the other body.
            dropped.push("content-length");
        }
        let mut set = String::new();
        for (name, value) in forwarded(facts, url, self.tenant, self.token_subject) {
            // A header without a value is among those that are dropped.
            if let Some(value) = value {
                push_field(&mut set, name, &value);
            }
        }
        if let Some(onward) = onward.filter(|onward| onward.changes_headers()) {
            dropped.extend(fields.iter().map(|(name, _)| name).filter(|name| onward.drops(name)));
            onward.push_headers(&mut set, self.secrets)?;
        }
        if self.reads_response {
            push_field(&mut set, "accept-encoding", "identity");
        }
        let origin = origin_of(self.route, self.origin);
        let url = origin.url_for(url, onward.map_or(0, |onward: &Onward| onward.strip));
        Some(OnwardRequest { origin, url, dropped, set })
    }
}

/// Returns the origin of a route, or `default` if the route has none of its own.
#[must_use]
pub fn origin_of<'a>(route: Option<&'a Arc<Route>>, default: &'a Origin) -> &'a Origin {
    route.and_then(|route| route.onward.origin.as_ref()).unwrap_or(default)
}
