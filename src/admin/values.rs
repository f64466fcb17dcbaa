//! Small values, changed by compare-and-swap.

use serde_json::{Value, json};

use super::admin::Admin;
use super::input;
use super::locks::expiry;
use super::response::{Failure, Response};
use crate::config::json::Problems;
use crate::http::problem::Problem;
use crate::limit::Subject;
use crate::redis::cas::{self, Outcome};
use crate::redis::{self, Command, RedisError, Transport};

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn read_value(&self, name: &str) -> Result<Response, Failure> {
        check_value_name(name).finish(Some(()))?;
        Ok(Response::json(200, &json!({ "value": self.value(&key(name)).await? })))
    }

    pub(super) async fn swap_value(&self, name: &str, body: &Value) -> Result<Response, Failure> {
        let known = ["expected", "new", "ttl_ms"];
        let (expected, new, expiry) = input::read(body, &known, check_value_name(name), |object, problems| {
            // Null means that there is no value, so neither field may be left out.
            for field in ["expected", "new"].into_iter().filter(|field| body.get(field).is_none()) {
                problems.push(field, "is missing (null means no value)");
            }
            let expected = object.optional("expected", input::small_text, problems);
            let new = object.optional("new", input::small_text, problems);
            let expiry = expiry(body, object, problems);
            if new.is_none() && object.get("ttl_ms").is_some() {
                problems.push("ttl_ms", "is not allowed in a deletion");
            }
            Some((expected, new, expiry))
        })?;
        let (transport, dialect, key) = (self.transport(), self.dialect(), key(name));
        let outcome = match (expected, new) {
            (None, Some(new)) => cas::create(transport, dialect, &key, new, expiry).await?,
            (Some(expected), Some(new)) => cas::replace(transport, dialect, &key, expected, new, expiry).await?,
            (Some(expected), None) => cas::delete(transport, dialect, &key, expected).await?,
            (None, None) => match self.value(&key).await? {
                None => Outcome::Swapped,
                found => Outcome::Conflict { found },
            },
        };
        match outcome {
            Outcome::Swapped => Ok(Response::json(200, &json!({ "swapped": true }))),
            Outcome::Conflict { found } => Err(Problem::value_conflict(found.as_deref()).into()),
        }
    }

    async fn value(&self, key: &str) -> Result<Option<String>, RedisError> {
        redis::run(self.transport(), Command::new("GET").text(key)).await
    }
}

fn check_value_name(name: &str) -> Problems {
    let mut problems = Problems::default();
    input::check_name("name", name, &mut problems);
    problems
}

/// Returns the key of a value. The check API reserves its prefix, so no subject has the same key.
fn key(name: &str) -> String {
    Subject::named(&format!("value:{name}")).state_key()
}
