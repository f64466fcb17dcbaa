//! The type of all problems, and those of requests to the origin.

use serde_json::{Map, Value, json};

use crate::http::rate_limit::{RETRY_AFTER_MS, retry_fields};
use crate::limit::{Retry, Verdict};
use crate::time::Millis;

/// The media type of a problem's body.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A response about a refusal or failure: a status, headers and a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    kind: &'static str,
    title: &'static str,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// 429: at least one limit denied the request. The verdict's header fields say when to retry.
    #[must_use]
    pub fn quota_exceeded(verdict: &Verdict) -> Self {
        let names: Vec<&str> = verdict.refusing().map(|budget| budget.limit.name().as_str()).collect();
        let limits = names.join(", ");
        let (detail, wait) = match verdict.retry() {
            Retry::After(wait) => (format!("over the limit: {limits} (retry after {wait})"), Some(wait)),
            Retry::Never | Retry::Now => {
                (format!("the request costs more than the limit can ever hold: {limits}"), None)
            }
        };
        let problem = Problem::new(
            429,
            QUOTA_EXCEEDED,
            "Request cannot be satisfied as assigned quota has been exceeded",
            detail,
        );
        let problem = problem.with("violated-policies", json!(names));
        match wait {
            Some(wait) => problem.with("retry-after-ms", json!(wait.get())),
            None => problem,
        }
    }

    /// 503: Redis is unavailable and the outage policy is to refuse. `retry` is the time until Redis is asked again, if
    /// it is known.
    #[must_use]
    pub fn limiter_unavailable(retry: Option<Millis>) -> Self {
        let detail = "the rate limiter cannot check requests at the moment".to_owned();
        let title = "Request cannot be satisfied due to temporary server capacity constraints";
        Problem::new(503, REDUCED_CAPACITY, title, detail).after(retry.unwrap_or(OUTAGE_RETRY))
    }

    /// 502: the origin does not answer.
    #[must_use]
    pub fn origin_unreachable() -> Self {
        Problem::new(502, BLANK, "Bad Gateway", "the origin does not answer".to_owned())
    }

    /// 502: the origin answered with a status above 599, which no response of the Workers runtime can have.
    #[must_use]
    pub fn invalid_origin_status(status: u16) -> Self {
        let detail = format!("the origin answered with status {status}, which cannot be passed on");
        Problem::new(502, BLANK, "Bad Gateway", detail)
    }

    /// 500: the configuration is invalid. The reason goes to the log only: clients must not see it.
    #[must_use]
    pub fn misconfigured() -> Self {
        Problem::new(
            500,
            BLANK,
            "Internal Server Error",
            "the rate limiter's configuration is broken (the log of the Worker says why)".to_owned(),
        )
    }

    /// 404: no such path below `/_sluicegate/`.
    #[must_use]
    pub fn not_found() -> Self {
        Problem::new(404, BLANK, "Not Found", "nothing of this name below /_sluicegate/".to_owned())
    }

    /// 400: the request's URL is invalid.
    #[must_use]
    pub fn unreadable_url() -> Self {
        Problem::new(400, BLANK, "Bad Request", "the request's URL cannot be read".to_owned())
    }

    /// 405: the path exists, but is read-only.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Problem::allow_only("GET, HEAD")
    }

    /// Returns the end of the problem's type, for example `quota-exceeded`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.rsplit(['#', ':']).next().unwrap_or_default()
    }

    /// Returns what went wrong and the remedy, in a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the response's header fields other than `Content-Type`: `Retry-After`, `Retry-After-Ms`, `WWW-Authenticate`,
    /// `Allow`.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// Returns how long the client should wait, if the headers say so.
    #[must_use]
    pub fn retry(&self) -> Option<Millis> {
        let (_, wait) = self.headers.iter().find(|(name, _)| *name == RETRY_AFTER_MS)?;
        wait.parse().ok().map(Millis::new)
    }

    /// Returns the body, a JSON object.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(self.kind));
        body.insert("title".to_owned(), json!(self.title));
        body.insert("status".to_owned(), json!(self.status));
        body.insert("detail".to_owned(), json!(self.detail));
        body.extend(self.members.clone());
        Value::Object(body).to_string()
    }

    pub(super) fn new(status: u16, kind: &'static str, title: &'static str, detail: String) -> Self {
        Problem { status, kind, title, detail, members: Map::new(), headers: Vec::new() }
    }

    pub(super) fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn after(self, wait: Millis) -> Self {
        retry_fields(wait).into_iter().fold(self, |problem, (name, value)| problem.header(name, value))
    }
}

/// Registered by draft-ietf-httpapi-ratelimit-headers-11.
pub(super) const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
/// Registered by the same draft.
pub(super) const REDUCED_CAPACITY: &str = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
/// RFC 9457: the problem is no more than its status.
pub(super) const BLANK: &str = "about:blank";
/// RFC 9110, for a 401.
pub(super) const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
/// The wait after an outage: long enough not to add load, short enough to end soon after it.
pub(super) const OUTAGE_RETRY: Millis = Millis::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Budget, Limit, LimitName};

    fn deny(retry: Retry) -> Value {
        let budget = |name: &str, retry| Budget {
            limit: Limit::sliding_log(LimitName::new(name).unwrap(), 5, Millis::from_secs(60)).unwrap(),
            remaining: 0,
            retry,
            reset: Millis::ZERO,
        };
        let verdict = Verdict::Deny(vec![budget("minute", retry), budget("day", Retry::Now)]);
        serde_json::from_str(&Problem::quota_exceeded(&verdict).body()).unwrap()
    }

    #[test]
    fn the_wait_is_that_of_the_headers() {
        let wait = Some(Millis::new(1500));
        assert_eq!(Problem::limiter_unavailable(wait).retry(), wait);
        assert_eq!(Problem::invalid_origin_status(600).retry(), None);
    }

    #[test]
    fn a_status_above_599_is_named() {
        let problem = Problem::invalid_origin_status(600);
        let body: Value = serde_json::from_str(&problem.body()).unwrap();
        assert_eq!((problem.status, &body["status"]), (502, &json!(502)));
        assert_eq!(body["detail"], "the origin answered with status 600, which cannot be passed on");
    }

    #[test]
    fn a_refusal_names_the_violated_policies() {
        let body = deny(Retry::After(Millis::new(1500)));
        assert_eq!(body["type"], QUOTA_EXCEEDED);
        assert_eq!(body["status"], 429);
        assert_eq!(body["violated-policies"], json!(["minute"]));
        assert_eq!(body["retry-after-ms"], 1500);
        assert_eq!(body["detail"], "over the limit: minute (retry after 1500ms)");
    }

    #[test]
    fn a_cost_that_never_fits_is_explained() {
        let body = deny(Retry::Never);
        assert_eq!(body["detail"], "the request costs more than the limit can ever hold: minute");
        assert!(body.get("retry-after-ms").is_none());
    }
}
