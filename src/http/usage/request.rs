//! Reads the cost that a request tells, and lets a request for a stream ask for its usage.

use std::sync::Arc;

use super::json::{Hit, JsonReader, Kind};
use super::unique::{Keys, keys_of};
use crate::config::costs::{CostSource, Pointer, Pointers, RequestReading};
use crate::http::fields::Fields;
use crate::http::problem::Problem;

/// What was read of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadRequest {
    /// The cost in units, at least 1, if the request tells one.
    pub cost: Option<u64>,
    /// The source that tells it, by its place in [`RequestReading::sources`].
    pub source: Option<usize>,
    /// The body for the origin, if it differs.
    pub body: Option<Vec<u8>>,
}

/// Returns how many bytes of a request's body to read at most. `None`: the route reads none, the body is too long, or it is
/// encoded; or the method has none: a body that was read could not be sent with it again.
#[must_use]
pub fn body_to_read(reading: &RequestReading, method: &str, fields: Fields<'_>) -> Option<usize> {
    let may_have_body = !matches!(method, "GET" | "HEAD");
    let encoded = fields.get("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    let length = fields.get("content-length").map(|length| length.trim().parse::<usize>());
    let fits = length.is_none_or(|length| length.is_ok_and(|length| length <= reading.bytes));
    (reading.reads_body() && may_have_body && !encoded && fits).then_some(reading.bytes)
}

/// Reads a request. `body` is its body, if it was read to its end.
///
/// # Errors
/// Returns the refusal if an object of the body has a key twice: the origin may take another one than this reader.
pub fn read_request(reading: &RequestReading, fields: Fields<'_>, body: Option<&[u8]>) -> Result<ReadRequest, Problem> {
    let body = body.filter(|body| !body.is_empty());
    let body = match body.map(keys_of) {
        Some(Keys::Duplicate) => return Err(Problem::duplicate_key()),
        // It may have a key twice where nobody has looked.
        Some(Keys::Unknown) => None,
        Some(Keys::Unique) | None => body,
    };
    let hits = body.and_then(|body| find(&reading.pointers, body)).unwrap_or_default();
    let cost = |source: &CostSource| match source {
        CostSource::Header(name) => fields.get(name)?.trim().parse().ok(),
        CostSource::Json(place) => match hits.get(*place).copied().flatten()?.kind {
            Kind::Number(amount) => Some(amount.ceil()),
            _ => None,
        },
    };
    let found = reading.sources.iter().enumerate().find_map(|(place, source)| Some((place, cost(source)?)));
    Ok(ReadRequest {
        cost: found.map(|(_, cost): (_, u64)| cost.clamp(1, reading.most)),
        source: found.map(|(place, _)| place),
        body: body.filter(|_| reading.include_usage).and_then(with_usage),
    })
}

fn find(pointers: &Pointers, document: &[u8]) -> Option<Vec<Option<Hit>>> {
    let mut reader = JsonReader::new(Arc::new(pointers.clone()));
    reader.feed(document);
    reader.finish()
}

/// Returns the body with `stream_options.include_usage`, if it asks for a stream and does not have that yet. All other bytes
/// stay.
fn with_usage(body: &[u8]) -> Option<Vec<u8>> {
    let mut pointers = Pointers::default();
    for text in ["/stream", "/stream_options", "/stream_options/include_usage"] {
        pointers.add(Pointer::parse(text).ok()?).ok()?;
    }
    let hits = find(&pointers, body)?;
    let [stream, options, include] = hits.as_slice() else { return None };
    if stream.map(|hit| hit.kind) != Some(Kind::True) {
        return None;
    }
    match (options, include) {
        (None, _) => {
            let open = body.iter().position(|byte| *byte == b'{')?;
            replaced(body, open + 1, open + 1, br#""stream_options":{"include_usage":true},"#)
        }
        (Some(Hit { kind: Kind::Null, start, end }), _) => {
            replaced(body, offset(*start)?, offset(*end)?, br#"{"include_usage":true}"#)
        }
        (Some(Hit { kind: Kind::Object, start, .. }), None) => {
            let first = offset(*start)? + 1;
            let is_empty = body.get(first..)?.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
            let member: &[u8] = if is_empty { br#""include_usage":true"# } else { br#""include_usage":true,"# };
            replaced(body, first, first, member)
        }
        (Some(Hit { kind: Kind::Object, .. }), Some(Hit { kind, start, end })) if *kind != Kind::True => {
            replaced(body, offset(*start)?, offset(*end)?, b"true")
        }
        // It has what it needs, or the origin refuses it.
        (Some(_), _) => None,
    }
}

fn replaced(body: &[u8], start: usize, end: usize, by: &[u8]) -> Option<Vec<u8>> {
    Some([body.get(..start)?, by, body.get(end..)?].concat())
}

fn offset(offset: u64) -> Option<usize> {
    usize::try_from(offset).ok()
}

#[cfg(test)]
mod tests;
