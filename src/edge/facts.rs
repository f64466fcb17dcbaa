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
    /// the URL cannot be parsed.
    pub(super) fn read(request: &'a Request, head: &'a str, isolate: Option<&Isolate>) -> Option<Self> {
        let (method, rest) = head.split_once('\n')?;
        let (url, fields) = rest.split_once('\n')?;
        let (url, fields) = (Url::parse(url).ok()?, Fields::new(fields));
        let facts = RequestFacts::read(method, url.path(), fields, isolate.map(|isolate| &isolate.config));
        Some(ClientRequest { request, url, fields, facts })
    }
}
