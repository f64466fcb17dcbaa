//! Locks and the values that they guard.

use serde_json::{Value, json};

use super::admin::Admin;
use super::input;
use super::response::{Failure, Response};
use crate::config::json::{Object, Problems, integer};
use crate::http::problem::Problem;
use crate::redis::Transport;
use crate::redis::cas::Expiry;
use crate::redis::lock::{Acquisition, FencingToken, Lease, RawLock, Release, Write};
use crate::time::Millis;

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn acquire(&self, name: &str, body: &Value) -> Result<Response, Failure> {
        let (owner, lease) = input::read(body, &["owner", "ttl_ms"], check_lock_name(name), |object, problems| {
            owner(object, problems).zip(lease(object, problems))
        })?;
        match self.lock(name).acquire(owner, lease.ttl()).await? {
            Acquisition::Acquired { token } => Ok(held(token, lease)),
            Acquisition::Busy { free_in } => Err(Problem::lock_held(free_in).into()),
        }
    }

    pub(super) async fn renew(&self, name: &str, body: &Value) -> Result<Response, Failure> {
        let known = ["owner", "token", "ttl_ms"];
        let ((owner, token), lease) = input::read(body, &known, check_lock_name(name), |object, problems| {
            let holder = owner(object, problems).zip(token(object, problems));
            let lease = lease(object, problems);
            holder.zip(lease)
        })?;
        if self.lock(name).renew(owner, token, lease.ttl()).await? {
            Ok(held(token, lease))
        } else {
            Err(Problem::lock_lost().into())
        }
    }

    pub(super) async fn release(&self, name: &str, body: &Value) -> Result<Response, Failure> {
        let (owner, token) = input::read(body, &["owner", "token"], check_lock_name(name), |object, problems| {
            owner(object, problems).zip(token(object, problems))
        })?;
        match self.lock(name).release(owner, token).await? {
            Release::Released => Ok(Response::no_content()),
            Release::NotHeld => Err(Problem::lock_lost().into()),
        }
    }

    pub(super) async fn write_guarded(&self, name: &str, value: &str, body: &Value) -> Result<Response, Failure> {
        let mut problems = check_lock_name(name);
        input::check_name("value", value, &mut problems);
        let known = ["token", "value", "ttl_ms"];
        let ((token, new), expiry) = input::read(body, &known, problems, |object, problems| {
            let write = token(object, problems).zip(object.required("value", input::small_text, problems));
            let expiry = expiry(body, object, problems);
            write.zip(Some(expiry))
        })?;
        match self.lock(name).write(token, value, new, expiry).await? {
            Write::Written => Ok(Response::json(200, &json!({ "token": token.get() }))),
            Write::Stale { newest } => Err(Problem::stale_token(newest).into()),
        }
    }

    pub(super) async fn read_guarded(&self, name: &str, value: &str) -> Result<Response, Failure> {
        let mut problems = check_lock_name(name);
        input::check_name("value", value, &mut problems);
        problems.finish(Some(()))?;
        Ok(Response::json(200, &json!({ "value": self.lock(name).read(value).await? })))
    }

    fn lock(&self, name: &str) -> RawLock<&T> {
        RawLock::new(self.transport(), self.dialect(), name)
    }
}

/// Checks the name of a lock.
fn check_lock_name(name: &str) -> Problems {
    let mut problems = Problems::default();
    input::check_name("name", name, &mut problems);
    problems
}

fn held(token: FencingToken, lease: Lease) -> Response {
    Response::json(200, &json!({ "token": token.get(), "ttl_ms": lease.ttl().get() }))
}

/// Reads the owner of a lock: a text that the caller chooses.
fn owner<'v>(object: &Object<'v>, problems: &mut Problems) -> Option<&'v str> {
    object.required("owner", input::id, problems)
}

fn token(object: &Object<'_>, problems: &mut Problems) -> Option<FencingToken> {
    object.required("token", integer, problems).map(FencingToken::new)
}

fn lease(object: &Object<'_>, problems: &mut Problems) -> Option<Lease> {
    let lease = |value: &Value| Lease::new(Millis::new(integer(value)?)).map_err(|error| error.to_string());
    object.required("ttl_ms", lease, problems)
}

/// Reads when a written value expires: after `ttl_ms`, or never.
pub(super) fn expiry(body: &Value, object: &Object<'_>, problems: &mut Problems) -> Expiry {
    input::refuse_null(body, &["ttl_ms"], problems);
    object.optional("ttl_ms", integer, problems).map_or(Expiry::Never, |ttl| Expiry::After(Millis::new(ttl)))
}
