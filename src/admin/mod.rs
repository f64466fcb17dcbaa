//! The admin and check API, below `/_sluicegate/v1`: a call comes in as plain data, an answer goes out as such.
//!
//! What it can do is in `openapi.json`, which it serves. Everything else needs the admin token. Answers are JSON,
//! those that tell of a problem are [`Problem`]s; none may be cached.

mod answer;
mod authorization;
mod check;
mod diagnosis;
mod input;
mod keys;
mod locks;
mod merge;
mod precondition;
mod query;
mod route;
mod tenants;
mod usage;
mod values;
mod wire;

use serde_json::{Map, Value};

use crate::config::Config;
use crate::limiter::{Limiter, Now};
use crate::problem::Problem;
use crate::redis::{Token, Transport};
use crate::script::Spelling;
use crate::tenant::object::Problems;
use crate::tenant::{Invalid, TenantId};
use crate::time::Millis;

pub use answer::Answer;
use answer::Failure;
use query::Query;
use route::Path;

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
        authorization::is_authorized(call.authorization, self.token)
    }
}

impl<T: Transport> Admin<'_, T> {
    /// Answers a call. `random` are bytes that nobody can guess: a new API key is made of them.
    pub async fn answer(&self, call: &Call<'_>, random: [u8; 20]) -> Answer {
        let mut answer = self.dispatch(call, random).await.unwrap_or_else(Failure::into_answer);
        if !is_read(call.method) && answer.changed.is_none() {
            // Also where it failed: a write whose answer was lost may have been done.
            answer.changed = Path::parse(call.path).and_then(|path| TenantId::new(path.tenant()?).ok());
        }
        if call.method == "HEAD" { answer.without_body() } else { answer }
    }

    async fn dispatch(&self, call: &Call<'_>, random: [u8; 20]) -> Result<Answer, Failure> {
        let path = Path::parse(call.path);
        if path != Some(Path::OpenApi) && !self.is_authorized(call) {
            return Err(Problem::unauthorized().into());
        }
        let path = path.ok_or_else(Problem::no_such_path)?;
        if !path.allows(call.method) {
            return Err(Problem::allow_only(path.methods()).into());
        }
        let known: &[&str] = if path == Path::Tenants && is_read(call.method) { &["cursor", "limit"] } else { &[] };
        let mut problems = Problems::default();
        let query = Query::parse(call.query, known, &mut problems);
        problems.finish(Some(()))?;
        match (path, call.method) {
            (Path::OpenApi, _) => Ok(Answer::text(200, OPENAPI)),
            (Path::Tenants, "POST") => self.create_tenant(call.object()?).await,
            (Path::Tenants, _) => self.list_tenants(&query).await,
            (Path::Tenant(id), "PUT") => self.replace_tenant(&id, call.if_match, &call.object()?).await,
            (Path::Tenant(id), "PATCH") => self.patch_tenant(&id, call.if_match, &call.patch()?).await,
            (Path::Tenant(id), "DELETE") => self.delete_tenant(&id, call.if_match).await,
            (Path::Tenant(id), _) => self.read_tenant(&id).await,
            (Path::Keys(id), "POST") => self.create_key(&id, &call.object_or_nothing()?, random).await,
            (Path::Keys(id), _) => self.list_keys(&id).await,
            (Path::Key(id, key), _) => self.delete_key(&id, &key).await,
            (Path::Usage(id), _) => self.usage(&id).await,
            (Path::Reset(id), _) => self.reset(&id, &call.object_or_nothing()?).await,
            (Path::Refund(id), _) => self.refund(&id, &call.object()?).await,
            (Path::Check, _) => self.check(&call.object()?).await,
            (Path::Acquire(lock), _) => self.acquire(&lock, &call.object()?).await,
            (Path::Renew(lock), _) => self.renew(&lock, &call.object()?).await,
            (Path::Release(lock), _) => self.release(&lock, &call.object()?).await,
            (Path::LockValue(lock, value), "PUT") => self.write_guarded(&lock, &value, &call.object()?).await,
            (Path::LockValue(lock, value), _) => self.read_guarded(&lock, &value).await,
            (Path::Value(name), _) => self.read_value(&name).await,
            (Path::Swap(name), _) => self.swap_value(&name, &call.object()?).await,
            (Path::Diagnosis, _) => Ok(self.diagnosis().await),
        }
    }

    /// The caller's time.
    fn now(&self) -> Millis {
        (self.clock)()
    }

    /// The time by which limits are judged.
    fn judged_at(&self, now: Millis) -> Now {
        Now::by(self.config.clock, now)
    }

    fn transport(&self) -> &T {
        self.limiter.transport()
    }

    fn spelling(&self) -> Spelling {
        self.limiter.spelling()
    }
}

impl Call<'_> {
    /// The body as JSON.
    fn object(&self) -> Result<Value, Problem> {
        self.json(&[JSON])
    }

    /// The body as JSON; no body is an empty object.
    fn object_or_nothing(&self) -> Result<Value, Problem> {
        if self.body.is_empty() { Ok(Value::Object(Map::new())) } else { self.object() }
    }

    /// The body as a merge patch.
    fn patch(&self) -> Result<Value, Problem> {
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
        let not_json = |error| Problem::invalid_request(&Invalid::new("", format!("is not JSON: {error}")));
        let mut body = serde_json::from_slice(self.body).map_err(not_json)?;
        input::with_integers(&mut body);
        Ok(body)
    }
}

fn is_read(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// The largest body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The description of this API, in `OpenAPI` 3.1.
pub const OPENAPI: &str = include_str!("openapi.json");

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
