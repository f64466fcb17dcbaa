//! The request to the origin, in the terms of an explanation.

use super::explanation::Onward;
use crate::gateway::onward::AllowedRequest;
use crate::http::Fields;

/// Returns the request to the origin, with the names of headers alone.
pub(super) fn onward(allowed: &AllowedRequest<'_>) -> Option<Onward> {
    let onward = allowed.onward()?;
    let set = names(Fields::new(&onward.set).iter().map(|(name, _)| name));
    let mut removed = names(onward.dropped.into_iter());
    removed.retain(|name| !set.contains(name));
    Some(Onward { origin: onward.origin.to_string(), url: onward.url, set, removed })
}

/// Returns each name once, sorted.
fn names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if let Err(place) = found.binary_search_by(|known| known.as_str().cmp(name)) {
            found.insert(place, name.to_owned());
        }
    }
    found
}
