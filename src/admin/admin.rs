//! The API and its calls.

use std::cell::RefCell;

use serde_json::{Map, Value};
use url::Url;

use super::route::Path;
use super::token_check::TokenCheck;
use crate::config::json::parse;
use crate::config::source::ConfigSource;
use crate::config::{Config, Origin};
use crate::gateway::EventRing;
use crate::http::problem::Problem;
use crate::jwt::KeyStatus;
use crate::limiter::breaker::BreakerState;
use crate::limiter::{Limiter, Now};
use crate::redis::script::Dialect;
use crate::redis::{Token, Transport};
use crate::tenant::overview::Sightings;
use crate::time::Millis;

/// The admin and check API over one Redis.
#[derive(Clone, Copy)]
pub struct Admin<'a, T> {
    /// The configuration: the plans, and the clock of checks.
    pub config: &'a Config,
    /// Where requests go, unless their route has its own origin.
    pub origin: &'a Origin,
    /// The limiter, with the connection to Redis.
    pub limiter: &'a Limiter<T>,
    /// The admin token.
    pub token: &'a Token,
    /// The clock of the edge, in milliseconds since the Unix epoch.
    pub clock: &'a dyn Fn() -> Millis,
    /// The state of the keys that verify tokens, for the diagnosis, if the configuration has rules for tokens.
    pub token_keys: Option<&'a KeyStatus>,
    /// Why the newest configuration is not in force, if it is not.
    pub rejected_config: Option<&'a str>,
    /// The URL of the call, for the diagnosis: an origin must not lead back to it.
    pub url: Option<&'a Url>,
    /// The circuit breaker of the isolate, for the diagnosis.
    pub breaker: Option<BreakerState>,
    /// Where the configuration comes from.
    pub source: &'a ConfigSource,
    /// Verifies the tokens of requests to explain. Without it, an explanation says that it assumes them to be valid.
    pub tokens: Option<&'a dyn TokenCheck>,
    /// The last events of the isolate.
    pub events: &'a RefCell<EventRing>,
    /// What the isolate has seen of its tenants. A check adds to it.
    pub sightings: &'a RefCell<Sightings>,
}

/// A request to the API.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path after `/_sluicegate/v1`, with its leading slash and its percent-encoding.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: Option<&'a str>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `If-Match`; several lines are joined by commas.
    pub if_match: Option<&'a str>,
    /// The body. One longer than [`MAX_BODY`] may be cut, but not to [`MAX_BODY`] bytes or fewer.
    pub body: &'a [u8],
}

impl<T> Admin<'_, T> {
    /// Returns whether the call carries the admin token. The body of a call without it is never used, so the caller
    /// need not read it.
    #[must_use]
    pub fn is_authorized(&self, call: &Call<'_>) -> bool {
        super::authorization::is_authorized(call.authorization, self.token)
    }
}

impl<T: Transport> Admin<'_, T> {
    /// Returns the time of the edge's clock.
    pub(super) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Returns the time of a check, by the configured clock.
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
    /// Returns whether this is a check, which a client may be waiting for.
    #[must_use]
    pub fn is_check(&self) -> bool {
        Path::parse(self.path) == Some(Path::Check)
    }

    /// Returns whether this asks for the diagnosis.
    #[must_use]
    pub fn is_diagnosis(&self) -> bool {
        Path::parse(self.path) == Some(Path::Diagnosis)
    }

    /// Parses the body as JSON.
    pub(super) fn object(&self) -> Result<Value, Problem> {
        self.json(&[JSON])
    }

    /// Parses the body as JSON. An empty body is an empty object.
    pub(super) fn object_or_nothing(&self) -> Result<Value, Problem> {
        if self.body.is_empty() { Ok(Value::Object(Map::new())) } else { self.object() }
    }

    /// Parses the body as a JSON merge patch.
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

/// The largest accepted body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

const JSON: &str = "application/json";

const MERGE_PATCH: &str = "application/merge-patch+json";
