//! TODO.

use serde_json::{Map, Value};

use crate::config::Config;
use crate::config::json::parse;
use crate::http::problem::Problem;
use crate::limiter::{Limiter, Now};
use crate::redis::script::Dialect;
use crate::redis::{Token, Transport};
use crate::time::Millis;

/// The API over one Redis.
#[derive(Clone, Copy)]
pub struct Admin<'a, T> {
    /// What the plans are, and whose clock judges.
    pub config: &'a Config,
    /// The way to Redis.
    pub limiter: &'a Limiter<T>,
    /// Who knows it may do everything.
    pub token: &'a Token,
    /// The caller's clock: milliseconds since the Unix epoch.
    pub clock: &'a dyn Fn() -> Millis,
}

/// A request to the API.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path after `/_sluicegate/v1`, with its slash and its percent-encoding.
    pub path: &'a str,
    /// What follows the question mark, if there is one.
    pub query: Option<&'a str>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `If-Match`; of several lines, joined by commas.
    pub if_match: Option<&'a str>,
    /// The body; of one that is longer than [`MAX_BODY`], at least one byte more than that.
    pub body: &'a [u8],
}

impl<T> Admin<'_, T> {
    /// Whether the call carries the admin token. The body of one that does not is never looked at, and need not be
    /// read: it is refused, or for the description of the API.
    #[must_use]
    pub fn is_authorized(&self, call: &Call<'_>) -> bool {
        super::authorization::is_authorized(call.authorization, self.token)
    }
}

impl<T: Transport> Admin<'_, T> {
    /// The caller's time.
    pub(super) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// The time by which limits are judged.
    pub(super) fn check_time(&self, now: Millis) -> Now {
        Now::from_clock(self.config.clock, now)
    }

    pub(super) fn transport(&self) -> &T {
        self.limiter.transport()
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.limiter.dialect()
    }
}

impl Call<'_> {
    /// The body as JSON.
    pub(super) fn object(&self) -> Result<Value, Problem> {
        self.json(&[JSON])
    }

    /// The body as JSON; no body is an empty object.
    pub(super) fn object_or_nothing(&self) -> Result<Value, Problem> {
        if self.body.is_empty() { Ok(Value::Object(Map::new())) } else { self.object() }
    }

    /// The body as a merge patch.
    pub(super) fn patch(&self) -> Result<Value, Problem> {
        self.json(&[MERGE_PATCH, JSON])
    }

    fn json(&self, types: &[&str]) -> Result<Value, Problem> {
        if self.body.len() > MAX_BODY {
            return Err(Problem::too_large(MAX_BODY));
        }
        let found = self.content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !types.iter().any(|known| known.eq_ignore_ascii_case(found)) {
            return Err(Problem::unsupported_media_type(&types.join(" or ")));
        }
        let mut body = parse(self.body).map_err(|invalid| Problem::invalid_request(&invalid))?;
        super::input::with_integers(&mut body);
        Ok(body)
    }
}

pub(super) fn is_read(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// The largest body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

const JSON: &str = "application/json";

const MERGE_PATCH: &str = "application/merge-patch+json";
