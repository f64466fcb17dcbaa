//! The errors of a request.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};
use serde_json::json;

/// An error that ends a request. Each variant is one HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// 400: Redis or the bridge refused the command. The text begins with an error code, such as `ERR`.
    Refused(String),
    /// 401: the token is missing or wrong.
    Unauthorized,
    /// 405: the method is not supported.
    MethodNotAllowed,
    /// 413: the body is longer than this many bytes.
    BodyTooLarge(usize),
    /// 502: there was no connection to Redis, or it broke before the reply.
    Unreachable(String),
    /// 504: Redis did not reply in time.
    Timeout,
}

impl RequestError {
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    /// Returns the error of a transaction that Redis discarded because it refused the command with the error
    /// `cause`.
    pub(crate) fn discarded(cause: Option<&ServerError>) -> Self {
        match cause {
            None => Self::refused(DISCARD),
            Some(cause) => Self::Refused(format!("{DISCARD} ({})", server_error(cause))),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreachable(_) => StatusCode::BAD_GATEWAY,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Returns the text of the body's `error` member.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Refused(text) => text.clone(),
            Self::Unauthorized => "WRONGPASS invalid or missing auth token".to_owned(),
            Self::MethodNotAllowed => "ERR method not allowed (use HEAD, GET, POST or PUT)".to_owned(),
            Self::BodyTooLarge(limit) => format!("ERR max request size exceeded. Limit: {limit} bytes"),
            Self::Unreachable(cause) => format!("ERR redis is unreachable: {cause}"),
            Self::Timeout => "ERR redis did not answer in time".to_owned(),
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.text() }));
        match self {
            Self::MethodNotAllowed => (self.status(), [(header::ALLOW, "HEAD, GET, POST, PUT")], body).into_response(),
            _ => (self.status(), body).into_response(),
        }
    }
}

impl From<RedisError> for RequestError {
    fn from(error: RedisError) -> Self {
        if let Some(errors) = error.clone().into_server_errors() {
            let cause = errors.iter().map(|(_, error)| error).find(|error| error.code() != "EXECABORT");
            return match (error.kind() == ServerErrorKind::ExecAbort.into(), cause) {
                (true, cause) => Self::discarded(cause),
                (false, cause) => Self::Refused(cause.map(server_error).unwrap_or_default()),
            };
        }
        match error.kind() {
            _ if error.is_timeout() => Self::Timeout,
            // Raised by the cluster client before it sends anything.
            ErrorKind::Server(ServerErrorKind::CrossSlot) => Self::refused(CROSS_SLOT),
            ErrorKind::Client => Self::Refused(format!("ERR {error}")),
            // An error text that is not UTF-8, or arrays nested too deeply. The connection breaks as well.
            ErrorKind::Parse => Self::Unreachable("its reply cannot be parsed".to_owned()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

/// Returns the line that Redis sent, without its leading `-`.
pub(crate) fn server_error(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

const CROSS_SLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";
const DISCARD: &str = "EXECABORT Transaction discarded because of previous errors.";
