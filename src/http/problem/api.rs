//! Errors of the admin API.

use serde_json::{Value, json};

use super::problem::{OUTAGE_RETRY, Problem, WWW_AUTHENTICATE};
use crate::config::json::InvalidInput;
use crate::redis::lock::FencingToken;
use crate::time::Millis;

impl Problem {
    /// 400: the input is invalid. An empty path is the body as a whole.
    #[must_use]
    pub fn invalid_request(invalid: &InvalidInput) -> Self {
        let problems = invalid.problems().iter();
        let errors: Vec<_> = problems.map(|field| json!({ "path": field.path, "problem": field.problem })).collect();
        Problem::new(400, urn!("invalid-request"), "Invalid request", invalid.to_string()).with("errors", json!(errors))
    }

    /// 400: the body is truncated, or does not match its header fields.
    #[must_use]
    pub fn unreadable_body() -> Self {
        Problem::invalid_request(&InvalidInput::new("", "cannot be read to its end"))
    }

    /// 401: no admin token, or a wrong one.
    #[must_use]
    pub fn unauthorized() -> Self {
        let detail = "the admin token is missing or wrong (send it as Authorization: Bearer)".to_owned();
        Problem::new(401, urn!("unauthorized"), "Unauthorized", detail).header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 404: the API has no such path.
    #[must_use]
    pub fn no_such_path() -> Self {
        let detail = "the API has no such path (openapi.json lists them)".to_owned();
        Problem::new(404, urn!("not-found"), "Not found", detail)
    }

    /// 404: no tenant has this id.
    #[must_use]
    pub fn tenant_not_found(id: &str) -> Self {
        Problem::new(404, urn!("tenant-not-found"), "Tenant not found", format!("no tenant has the id {id:?}"))
    }

    /// 404: the tenant has no key with this id.
    #[must_use]
    pub fn key_not_found(tenant: &str, key: &str) -> Self {
        let detail = format!("the tenant {tenant:?} has no key with the id {key:?}");
        Problem::new(404, urn!("key-not-found"), "Key not found", detail)
    }

    /// 405: the path exists, but not for this method. `methods` is the value of `Allow`.
    #[must_use]
    pub fn allow_only(methods: &'static str) -> Self {
        let detail = format!("this path allows only {methods}");
        Problem::new(405, urn!("method-not-allowed"), "Method Not Allowed", detail).header("Allow", methods)
    }

    /// 409: the id is taken.
    #[must_use]
    pub fn tenant_exists(id: &str) -> Self {
        let detail = format!("a tenant has the id {id:?} already");
        Problem::new(409, urn!("tenant-exists"), "Tenant exists", detail)
    }

    /// 409: the tenant cannot have one more key; `detail` says why.
    #[must_use]
    pub fn too_many_keys(detail: String) -> Self {
        Problem::new(409, urn!("too-many-keys"), "Too many keys", detail)
    }

    /// 409: the configuration no longer has the tenant's plan.
    #[must_use]
    pub fn unknown_plan(plan: &str) -> Self {
        let detail = format!("the tenant's plan {plan:?} is not in the configuration (give the tenant another)");
        Problem::new(409, urn!("unknown-plan"), "Unknown plan", detail)
    }

    /// 409: another owner holds the lock. `free_in` is the time until its lease ends, if it does.
    #[must_use]
    pub fn lock_held(free_in: Option<Millis>) -> Self {
        let wait = free_in.map_or_else(String::new, |wait| format!(" (until then at the latest: {wait})"));
        Problem::new(409, urn!("lock-held"), "Lock held", format!("another owner holds the lock{wait}"))
            .with("retry-after-ms", free_in.map_or(Value::Null, |wait| json!(wait.get())))
    }

    /// 409: this owner and token do not hold the lock.
    #[must_use]
    pub fn lock_lost() -> Self {
        let detail = "this owner does not hold the lock with this token, or not any more (acquire it again)".to_owned();
        Problem::new(409, urn!("lock-lost"), "Lock lost", detail)
    }

    /// 409: a holder with a higher token has the lock, or the writer's token was never issued.
    #[must_use]
    pub fn stale_token(newest: FencingToken) -> Self {
        let detail = format!("nothing is written: the newest token known is {newest}");
        Problem::new(409, urn!("stale-token"), "Stale fencing token", detail).with("newest", json!(newest.get()))
    }

    /// 409: the value is not the expected one, and is unchanged.
    #[must_use]
    pub fn value_conflict(found: Option<&str>) -> Self {
        let detail = "the value is not the expected one, and stays as it is".to_owned();
        Problem::new(409, urn!("value-conflict"), "Value conflict", detail).with("found", json!(found))
    }

    /// 412: the tenant has changed in the meantime. Nothing is overwritten.
    #[must_use]
    pub fn lost_race() -> Self {
        let detail = "the tenant has changed, and nothing was overwritten (read it again, then try again)".to_owned();
        Problem::new(412, urn!("lost-race"), "Precondition failed", detail)
    }

    /// 413: the body is larger than `most` bytes.
    #[must_use]
    pub fn too_large(most: usize) -> Self {
        let detail = format!("the body is larger than {most} bytes");
        Problem::new(413, urn!("too-large"), "Content too large", detail)
    }

    /// 415: the body is not of the `expected` media type.
    #[must_use]
    pub fn unsupported_media_type(expected: &str) -> Self {
        let detail = format!("the body's content type is not {expected}");
        Problem::new(415, urn!("unsupported-media-type"), "Unsupported media type", detail)
    }

    /// 428: a replacement without `If-Match` could overwrite a change.
    #[must_use]
    pub fn precondition_required() -> Self {
        let detail = "If-Match is missing (send the ETag of the tenant that you have read)".to_owned();
        Problem::new(428, urn!("precondition-required"), "Precondition required", detail)
    }

    /// 500: a document in Redis is invalid. `detail` says which and why.
    #[must_use]
    pub fn corrupt(detail: String) -> Self {
        Problem::new(500, urn!("corrupt-document"), "Corrupt document", detail)
    }

    /// 503: Redis is unavailable; the log has the reason. If `retry` is known, Redis was not asked. Otherwise it is unknown
    /// whether a change was made.
    #[must_use]
    pub fn redis_unavailable(retry: Option<Millis>) -> Self {
        let detail = match retry {
            None => "Redis did not answer as it should (a change may or may not have been made)",
            Some(_) => "Redis does not answer, so it was not asked (nothing was changed)",
        };
        let detail = detail.to_owned();
        Problem::new(503, urn!("redis-unavailable"), "Redis unavailable", detail).after(retry.unwrap_or(OUTAGE_RETRY))
    }
}

macro_rules! urn {
    ($name:literal) => {
        concat!("urn:sluicegate:problem:", $name)
    };
}
use urn;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::rate_limit::retry_fields;

    #[test]
    fn an_invalid_request_names_the_path() {
        let invalid = InvalidInput::new("overrides.day.limit", "expected a number");
        let body: Value = serde_json::from_str(&Problem::invalid_request(&invalid).body()).unwrap();
        assert_eq!(body["type"], "urn:sluicegate:problem:invalid-request");
        assert_eq!(body["title"], "Invalid request");
        assert_eq!(body["detail"], "overrides.day.limit: expected a number");
        assert_eq!(body["errors"], json!([{ "path": "overrides.day.limit", "problem": "expected a number" }]));
    }

    #[test]
    fn headers_say_how_to_continue() {
        assert_eq!(Problem::allow_only("GET, PUT").headers(), [("Allow", "GET, PUT".to_owned())]);
        assert_eq!(Problem::unauthorized().headers(), [("WWW-Authenticate", "Bearer".to_owned())]);
        assert_eq!(Problem::redis_unavailable(None).headers(), retry_fields(Millis::from_secs(5)));
        let retry = Millis::new(1200);
        assert_eq!(Problem::redis_unavailable(Some(retry)).headers(), retry_fields(retry));
    }
}
