//! The values by which limits count a request.

use std::borrow::Cow;

use super::request::{IdentifiedRequest, RoutedRequest};
use crate::config::routes::segment;
use crate::http::problem::Problem;
use crate::http::{Fields, cookie_value, query_value};
use crate::limit::{By, Limit, Subject};

/// What a client has sent that limits may count by.
#[derive(Debug, Clone, Copy)]
pub struct RequestValues<'a> {
    /// The header fields.
    pub fields: Fields<'a>,
    /// The query of the URL.
    pub query: Option<&'a str>,
    /// Where the client is. Needed only if the request [needs it](IdentifiedRequest::needs_place).
    pub place: Place<'a>,
}

/// Where a client is, by Cloudflare's record. A part that is not known is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// The country, as two letters.
    pub country: &'a str,
    /// The number of the autonomous system.
    pub asn: &'a str,
}

impl IdentifiedRequest {
    /// Returns whether a limit counts by more than the caller, so that the request needs [`RoutedRequest::partition`].
    #[must_use]
    pub fn needs_values(&self) -> bool {
        self.counted_by().next().is_some()
    }

    /// Returns whether a limit counts by where the client is.
    #[must_use]
    pub fn needs_place(&self) -> bool {
        self.counted_by().any(By::is_place)
    }

    fn counted_by(&self) -> impl Iterator<Item = &By> {
        self.charge.iter().flat_map(|charge| charge.limits().iter().filter_map(Limit::by))
    }
}

impl RoutedRequest<'_> {
    /// Adds to the subject of a request the values by which its limits count. What the request does not have is empty.
    ///
    /// # Errors
    /// Returns the refusal if servers disagree on a segment of the path that a limit counts by.
    pub fn partition(&self, request: &mut IdentifiedRequest, values: &RequestValues<'_>) -> Result<(), Problem> {
        let mut subject = request.subject.clone();
        for by in request.counted_by() {
            subject.add(by, &self.value(by, values)?);
        }
        request.subject = subject;
        Ok(())
    }

    fn value<'v>(&self, by: &By, values: &RequestValues<'v>) -> Result<Cow<'v, [u8]>, Problem> {
        let text = |text: Option<&'v str>| Cow::Borrowed(text.unwrap_or_default().as_bytes());
        Ok(match by {
            By::Address => {
                let network = |address| Subject::network(address, self.config().ipv6_prefix);
                Cow::Owned(self.facts().address.map(network).unwrap_or_default().into_bytes())
            }
            By::Header(name) => text(values.fields.get(name)),
            By::Query(name) => Cow::Owned(values.query.and_then(|query| query_value(query, name)).unwrap_or_default()),
            By::Cookie(name) => text(values.fields.get("cookie").and_then(|cookies| cookie_value(cookies, name))),
            By::Path(name) => {
                let place = self.route().and_then(|route| route.pattern.place_of(name));
                let found = place.and_then(|place| segment(&self.facts().path, place));
                Cow::Owned(found.ok_or_else(Problem::ambiguous_path)?.into_bytes())
            }
            By::Country => Cow::Borrowed(values.place.country.as_bytes()),
            By::Asn => Cow::Borrowed(values.place.asn.as_bytes()),
            By::Route => {
                Cow::Owned(self.route().map(|route| route.pattern.to_string()).unwrap_or_default().into_bytes())
            }
            By::Everyone => Cow::Borrowed(&[]),
        })
    }
}

#[cfg(test)]
mod tests;
