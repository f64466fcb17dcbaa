//! Reads a request: its URL, its headers, and the facts on which the decision depends.

use url::Url;
use web_sys::Request;

use super::isolate::Isolate;
use crate::http::{Fields, RequestFacts};

/// A client's request, with all that was read of it.
pub(super) struct ClientRequest<'a> {
    pub(super) request: &'a Request,
    /// The runtime has resolved `.` and `..` in this URL, so the origin gets the path that is checked.
    pub(super) url: Url,
    pub(super) fields: Fields<'a>,
    pub(super) facts: RequestFacts,
}

impl<'a> ClientRequest<'a> {
    /// Reads a request from its `head`, the text that [`read_request`](super::glue::read_request) returns. Returns `None` if
    /// the URL cannot be parsed. The client address comes from Cloudflare's own header only.
    pub(super) fn read(request: &'a Request, head: &'a str, isolate: Option<&Isolate>) -> Option<Self> {
        let (method, rest) = head.split_once('\n')?;
        let (url, fields) = rest.split_once('\n')?;
        let (url, fields) = (Url::parse(url).ok()?, Fields::new(fields));
        let sources = isolate.map_or(&[][..], |isolate| isolate.config.key_sources());
        let token = isolate.and_then(|isolate| isolate.config.jwt.as_ref()).and_then(|rules| {
            let value = fields.get(&rules.header)?;
            rules.token_in(value)
        });
        let named = isolate.into_iter().flat_map(|isolate| isolate.config.identity_headers());
        let named = named.filter_map(|name| Some((name, fields.get(name).filter(|value| !value.is_empty())?)));
        let facts = RequestFacts {
            method: method.to_owned(),
            path: url.path().to_owned(),
            address: fields.get("cf-connecting-ip").and_then(|address| address.parse().ok()),
            api_key: sources.iter().find_map(|source| source.key_in(fields.get(source.header())?)),
            token: token.map(str::to_owned),
            identity_headers: named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        Some(ClientRequest { request, url, fields, facts })
    }
}
