//! A request to explain.

use url::Url;

use crate::config::Config;
use crate::gateway::partition::Place;
use crate::http::{Fields, RequestFacts};

/// A request to explain, as the gateway would receive it.
#[derive(Debug)]
pub struct RequestToExplain {
    pub(super) url: Url,
    pub(super) facts: RequestFacts,
    /// The header fields, in the form of [`Fields`].
    fields: String,
    country: String,
    asn: String,
    pub(super) body: Option<Vec<u8>>,
}

impl RequestToExplain {
    /// Reads a request with this method, URL and header fields in the form of [`Fields`], as the configuration wants it.
    #[must_use]
    pub fn read(method: &str, url: Url, fields: String, config: &Config) -> Self {
        let facts = RequestFacts::read(method, url.path(), Fields::new(&fields), Some(config));
        RequestToExplain { url, facts, fields, country: String::new(), asn: String::new(), body: None }
    }

    /// Sets where the client is.
    #[must_use]
    pub fn from_place(self, country: String, asn: String) -> Self {
        RequestToExplain { country, asn, ..self }
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(self, body: Option<Vec<u8>>) -> Self {
        RequestToExplain { body, ..self }
    }

    pub(super) fn fields(&self) -> Fields<'_> {
        Fields::new(&self.fields)
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place { country: &self.country, asn: &self.asn }
    }
}
