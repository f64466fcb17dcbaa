//! Reads the cost that one response reports.

use std::sync::Arc;

use super::events::EventReader;
use super::json::{Hit, JsonReader, Kind};
use crate::config::costs::{Alternative, Amount, BodyFormat, Settle, SettleRule};
use crate::http::fields::Fields;

/// What a response reports about its cost, where a rule tells to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// The real cost, in units.
    Cost(u64),
    /// At least so many units: the body was cut before the cost was certain.
    AtLeast(u64),
    /// Nothing.
    Nothing,
}

/// What a response reports, and why it reports nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// By the rules of the route.
    pub reported: Vec<Reported>,
    /// Why a rule that reads bodies has found nothing, for the log.
    pub problem: Option<String>,
}

/// Reads the cost that one response reports, in its headers or in its body.
#[derive(Debug)]
pub struct UsageMeter {
    settle: Arc<Settle>,
    /// By the rules: the cost that each header among their alternatives has.
    headers: Vec<Vec<Option<u64>>>,
    body: Body,
    bytes: u64,
}

#[derive(Debug)]
enum Body {
    /// The body is not read, for this reason.
    Unread(String),
    Json(JsonReader),
    Events(EventReader),
}

impl UsageMeter {
    /// Creates a meter for a response with these header fields.
    #[must_use]
    pub fn new(settle: &Arc<Settle>, fields: Fields<'_>) -> Self {
        let header = |alternative: &Alternative| match alternative {
            Alternative::Header(name) => fields.get(name)?.trim().parse().ok(),
            Alternative::Body(..) => None,
        };
        let of_rule = |rule: &SettleRule| rule.alternatives.iter().map(header).collect();
        let format = format_of(fields);
        let body = match fields.get("content-encoding").map(str::trim) {
            Some(encoding) if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") => {
                let encoding: String = encoding.chars().take(MAX_SHOWN).collect();
                Body::Unread(format!("the body is encoded as {encoding:?}, although it was asked for without encoding"))
            }
            _ => match format {
                BodyFormat::Json => Body::Json(JsonReader::new(Arc::clone(settle.pointers(format)))),
                BodyFormat::Events => Body::Events(EventReader::new(Arc::clone(settle.pointers(format)))),
            },
        };
        UsageMeter { settle: Arc::clone(settle), headers: settle.rules().iter().map(of_rule).collect(), body, bytes: 0 }
    }

    /// Returns whether the cost may depend on the body. Otherwise it does not have to be fed.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        let format = match self.body {
            Body::Unread(_) => return false,
            Body::Json(_) => BodyFormat::Json,
            Body::Events(_) => BodyFormat::Events,
        };
        // Up to the first header that has a cost.
        let reads = |(rule, headers): (&SettleRule, &Vec<Option<u64>>)| {
            let open = rule.alternatives.iter().zip(headers).take_while(|(_, header)| header.is_none());
            open.into_iter().any(|(alternative, _)| is_body(alternative, format))
        };
        self.settle.rules().iter().zip(&self.headers).any(reads)
    }

    /// Reads the next piece of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        match &mut self.body {
            Body::Unread(_) => {}
            Body::Json(reader) => reader.feed(bytes),
            Body::Events(reader) => reader.feed(bytes),
        }
    }

    /// Ends the response. `is_whole` is whether the body has come to its end.
    #[must_use]
    pub fn finish(self, is_whole: bool) -> Usage {
        let (format, is_whole) = match &self.body {
            Body::Unread(_) => (None, true),
            Body::Json(reader) => (Some(BodyFormat::Json), is_whole || reader.has_ended()),
            Body::Events(reader) => (Some(BodyFormat::Events), is_whole || reader.is_final()),
        };
        let mut problem = None;
        let found: Box<dyn Fn(usize) -> Option<Amount>> = match self.body {
            Body::Unread(reason) => {
                problem = Some(reason);
                Box::new(|_| None)
            }
            Body::Json(reader) => {
                let hits = reader.finish().unwrap_or_default();
                Box::new(move |place| number(hits.get(place).copied().flatten()?))
            }
            Body::Events(reader) => Box::new(move |place| reader.number(place)),
        };
        let cost = |(rule, headers): (&SettleRule, &Vec<Option<u64>>)| {
            let mut alternatives = rule.alternatives.iter().zip(headers);
            let found = alternatives.find_map(|(alternative, header)| match alternative {
                Alternative::Header(_) => header.map(|cost| (cost, true)),
                Alternative::Body(of, sum) if Some(*of) == format => Some((sum.cost(&found)?, is_whole)),
                Alternative::Body(..) => None,
            });
            let reads = format.is_some_and(|format| rule.alternatives.iter().any(|other| is_body(other, format)));
            match found {
                Some((cost, true)) => Reported::Cost(cost),
                found if reads && !is_whole => {
                    let estimate = self.bytes.div_ceil(BYTES_PER_UNIT);
                    Reported::AtLeast(found.map_or(estimate, |(cost, _)| cost.max(estimate)))
                }
                _ => Reported::Nothing,
            }
        };
        let reported: Vec<Reported> = self.settle.rules().iter().zip(&self.headers).map(cost).collect();
        if !self.settle.reads_bodies() || !reported.contains(&Reported::Nothing) {
            problem = None;
        } else if problem.is_none() {
            let what = if format == Some(BodyFormat::Events) { "no event of the stream" } else { "the body does not" };
            let has = if format == Some(BodyFormat::Events) { "has" } else { "have" };
            problem = Some(format!("{what} {has} the cost where `settle` looks for it"));
        }
        Usage { reported, problem }
    }
}

fn is_body(alternative: &Alternative, format: BodyFormat) -> bool {
    matches!(alternative, Alternative::Body(of, _) if *of == format)
}

/// An event stream is what its media type says. Anything else may be a JSON document.
fn format_of(fields: Fields<'_>) -> BodyFormat {
    let media_type = fields.get("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    if media_type.trim().eq_ignore_ascii_case("text/event-stream") { BodyFormat::Events } else { BodyFormat::Json }
}

fn number(hit: Hit) -> Option<Amount> {
    match hit.kind {
        Kind::Number(amount) => Some(amount),
        _ => None,
    }
}

/// The rule of thumb of the APIs: a token has about four bytes.
const BYTES_PER_UNIT: u64 = 4;

/// The most characters of an encoding in the log.
const MAX_SHOWN: usize = 20;

#[cfg(test)]
mod tests;
