//! Reads the facts of a request.

use url::Url;
use web_sys::Request;

use super::isolate::Isolate;
use crate::http::RequestFacts;

/// Reads the facts of a request. The client address comes from Cloudflare's own header only.
pub(super) fn read(request: &Request, url: &Url, isolate: Option<&Isolate>) -> RequestFacts {
    let header = |name| request.headers().get(name).ok().flatten();
    let sources = isolate.map_or(&[][..], |isolate| isolate.config.key_sources());
    RequestFacts {
        method: request.method(),
        path: url.path().to_owned(),
        address: header("cf-connecting-ip").and_then(|address| address.parse().ok()),
        api_key: sources.iter().find_map(|source| source.key_in(&header(source.header())?)),
    }
}
