//! Responses of the API as plain data, and the problems that errors become.

use serde_json::Value;

use crate::config::json::InvalidInput;
use crate::http::problem::{self, Problem};
use crate::limiter::CheckError;
use crate::redis::RedisError;
use crate::tenant::TenantId;
use crate::tenant::history::HistoryError;
use crate::tenant::store::StoreError;

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with `content-type` and `cache-control`.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty if there is none.
    pub body: String,
    /// The tenant that has changed: cached copies of its document are outdated.
    pub changed: Option<TenantId>,
    /// For the log: why Redis failed, or what it holds that cannot be read.
    pub failure: Option<String>,
}

/// A problem instead of a result, with its cause for the log.
#[derive(Debug)]
pub(super) struct Failure {
    problem: Box<Problem>,
    log: Option<String>,
}

impl Response {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Response::new(status, Some("application/json"), body.to_string())
    }

    /// Returns a response with a body that is already JSON text.
    pub(super) fn text(status: u16, body: &str) -> Self {
        Response::new(status, Some("application/json"), body.to_owned())
    }

    /// Returns a response with status 204 and no body.
    pub(super) fn no_content() -> Self {
        Response::new(204, None, String::new())
    }

    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn failing(mut self, failure: Option<String>) -> Self {
        self.failure = failure;
        self
    }

    pub(super) fn changed(mut self, id: TenantId) -> Self {
        self.changed = Some(id);
        self
    }

    /// Drops the body, as the response to HEAD.
    pub(super) fn without_body(mut self) -> Self {
        self.body.clear();
        self
    }

    fn new(status: u16, content_type: Option<&str>, body: String) -> Self {
        let content_type = content_type.map(|value| ("content-type", value.to_owned()));
        let headers = content_type.into_iter().chain([("cache-control", "no-store".to_owned())]).collect();
        Response { status, headers, body, changed: None, failure: None }
    }
}

impl Failure {
    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(self.problem.status, Some(problem::CONTENT_TYPE), self.problem.body());
        response.headers.extend_from_slice(self.problem.headers());
        response.failure = self.log;
        response
    }

    /// Something in Redis cannot be read.
    fn corrupt(what: String) -> Self {
        Failure { problem: Problem::corrupt(what.clone()).into(), log: Some(what) }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure { problem: problem.into(), log: None }
    }
}

impl From<InvalidInput> for Failure {
    fn from(invalid: InvalidInput) -> Self {
        Problem::invalid_request(&invalid).into()
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Failure { problem: Problem::redis_unavailable(error.retry()).into(), log: Some(error.to_string()) }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Redis(error) => error.into(),
            CheckError::Invalid(error) => InvalidInput::from(error).into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Redis(error) => error.into(),
            StoreError::Unreadable(_) | StoreError::Index { .. } => Failure::corrupt(error.to_string()),
        }
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Redis(error) => error.into(),
            HistoryError::Unreadable { .. } => Failure::corrupt(error.to_string()),
        }
    }
}
