//! What a client was told, and why.

use std::fmt::{self, Display, Formatter};

use hyper::{HeaderMap, StatusCode, body::Bytes};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    kinds::{Caller, End, Kind},
    timeline::{Cause, Timeline},
};

/// A request and its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) kind: &'static Kind,
    pub(crate) sent: Instant,
    pub(crate) ended: Instant,
    pub(crate) seen: Seen,
}

/// What a client has seen of a response.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The head, and the body or why it broke off.
    Response { status: StatusCode, headers: HeaderMap, body: Result<Bytes, String> },
    /// No head, and why.
    Nothing(String),
}

/// Why a status is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Explanation {
    Origin,
    Api,
    Refused,
    RedisFails,
    MachineIsSlow,
    OriginIsDown,
    BrokenOff,
    TenantIsLost,
}

impl Explanation {
    /// Returns the text in the summary.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Origin => "the origin's own",
            Self::Api => "the API's own",
            Self::Refused => "a limit refuses (quota-exceeded, with Retry-After)",
            Self::RedisFails => "Redis fails and on_outage is closed, or it was a call of the API",
            Self::MachineIsSlow => "the same, because this machine was too busy to answer in time",
            Self::OriginIsDown => "the origin is down",
            Self::BrokenOff => "the origin breaks off the body, as asked",
            Self::TenantIsLost => "FLUSHALL has removed the tenant, and the new one is not created yet",
        }
    }
}

impl Exchange {
    /// Returns the status; 0 if there was none.
    pub(crate) fn status(&self) -> u16 {
        match &self.seen {
            Seen::Response { status, .. } => status.as_u16(),
            Seen::Nothing(_) => 0,
        }
    }

    /// Explains the status, if anything does.
    pub(crate) fn explain(&self, timeline: &Timeline) -> Option<Explanation> {
        let during = |cause| timeline.has(cause, self.sent, self.ended);
        let origin_is_down = during(Cause::Origin).then_some(Explanation::OriginIsDown);
        let Seen::Response { status, headers, body } = &self.seen else { return origin_is_down };
        let Ok(body) = body else {
            let asked = self.kind.end == End::Cut && status.as_u16() == self.kind.status;
            return if asked { Some(Explanation::BrokenOff) } else { origin_is_down };
        };
        if headers.contains_key("x-origin-request") {
            let promised = status.as_u16() == self.kind.status && self.kind.end != End::Cut;
            return promised.then_some(Explanation::Origin);
        }
        let refused = headers.contains_key("retry-after");
        match (status.as_u16(), &*problem(headers, body)?) {
            (200, "") if self.kind.caller == Caller::Admin => Some(Explanation::Api),
            (429, "quota-exceeded") if refused => Some(Explanation::Refused),
            (503, "temporary-reduced-capacity" | "redis-unavailable") if refused => {
                let late = during(Cause::Machine).then_some(Explanation::MachineIsSlow);
                during(Cause::Redis).then_some(Explanation::RedisFails).or(late)
            }
            (502, "about:blank") => origin_is_down,
            (401, "unknown-key") | (404, "tenant-not-found") => {
                during(Cause::Tenants).then_some(Explanation::TenantIsLost)
            }
            _ => None,
        }
    }
}

impl Display for Exchange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Exchange { kind, sent, ended, seen } = self;
        write!(f, "{} {} of {:?}, {:?} for {:?}: ", kind.method(), kind.path, kind.caller, kind.end, *ended - *sent)?;
        match seen {
            Seen::Nothing(error) => write!(f, "{error}"),
            Seen::Response { status, headers, body } => {
                let body = body.as_ref().map_or_else(Clone::clone, |body| String::from_utf8_lossy(body).into_owned());
                let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
                let (retry, timing) = (header("retry-after"), header("server-timing"));
                let body: String = body.chars().take(SHOWN).collect();
                write!(f, "{status}, Retry-After: {retry}, Server-Timing: {timing}, {body}")
            }
        }
    }
}

/// Returns the last part of a problem's type, or an empty string for other JSON; `None` if the body is not what the
/// media type says.
fn problem(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    if headers.get("content-type")? != "application/problem+json" {
        return Some(String::new());
    }
    let kind = json.get("type")?.as_str()?;
    Some(kind.rsplit_once("problem:").or_else(|| kind.rsplit_once('#')).map_or(kind, |(_, name)| name).to_owned())
}

/// Characters of a body in a description.
const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};

    use super::*;
    use crate::random::Random;

    fn refusal(status: u16, problem: &str) -> Exchange {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        let body = format!(r#"{{"type":"urn:sluicegate:problem:{problem}"}}"#);
        let status = StatusCode::from_u16(status).unwrap();
        let (sent, ended) = (Instant::now(), Instant::now());
        let kind = Kind::choose(&mut Random::new(0));
        Exchange { kind, sent, ended, seen: Seen::Response { status, headers, body: Ok(body.into()) } }
    }

    #[tokio::test]
    async fn a_503_needs_a_fault() {
        let (timeline, unavailable) = (Timeline::default(), refusal(503, "temporary-reduced-capacity"));
        assert_eq!(unavailable.explain(&timeline), None);
        timeline.begin(Cause::Redis, "a fault", Instant::now());
        let unavailable = refusal(503, "temporary-reduced-capacity");
        assert_eq!(unavailable.explain(&timeline), Some(Explanation::RedisFails));
        assert_eq!(refusal(503, "about:blank").explain(&timeline), None);
        assert_eq!(refusal(500, "about:blank").explain(&timeline), None);
        assert_eq!(refusal(429, "quota-exceeded").explain(&timeline), Some(Explanation::Refused));
    }
}
