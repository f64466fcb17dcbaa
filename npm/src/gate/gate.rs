//! What JavaScript calls.

use std::rc::Rc;

use js_sys::futures::future_to_promise;
use js_sys::{Function, Promise};
use serde_json::Value;
use sluicegate::admin::CheckInput;
use sluicegate::config::environment::{REDIS_TOKEN, REDIS_URL};
use sluicegate::config::json::InvalidInput;
use sluicegate::limit::{LeaseId, MAX_INTEGER};
use sluicegate::limiter::{CheckError, RequestId};
use sluicegate::time::Millis;
use wasm_bindgen::prelude::*;

use super::js::make_error;
use super::lease::Lease;
use super::state::State;
use super::subject::{Charge, Uncharged};
use super::tenants::{self, Failure};
use super::{check, settle};

/// A limiter over one Redis, with one configuration.
#[wasm_bindgen]
pub struct Gate {
    state: Rc<State>,
}

#[wasm_bindgen]
impl Gate {
    /// Creates a gate from the variables and the text of the configuration. `log` takes lines: texts of JSON.
    ///
    /// # Errors
    /// Throws a `ConfigError` if one of them is invalid.
    #[wasm_bindgen(constructor)]
    pub fn new(url: Option<String>, token: Option<String>, config: &str, log: Function) -> Result<Gate, JsValue> {
        let variables = [(REDIS_URL, url), (REDIS_TOKEN, token)];
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name)?.1.clone();
        let state = State::new(variable, config, log);
        let state = state.map_err(|error| make_error("ConfigError", &error.to_string(), &error.path))?;
        Ok(Gate { state: Rc::new(state) })
    }

    /// Checks a request: JSON like the body of `POST /check`. Resolves to the decision as JSON. Rejects only if the check is
    /// invalid.
    pub fn check(&self, input: &str) -> Promise {
        let (state, input) = (Rc::clone(&self.state), self.read(input));
        future_to_promise(async move {
            let judged = check::check(&state, input.map_err(invalid)?).await.map_err(invalid)?;
            Ok(judged.json().to_string().into())
        })
    }

    /// Settles the check `id` of a request at its real cost. `at` is when it was charged. Resolves to the outcome as JSON.
    pub fn settle(&self, input: &str, id: &str, at: f64, real: f64) -> Promise {
        let (state, input) = (Rc::clone(&self.state), self.read(input));
        let request = RequestId::new(id).map_err(|error| InvalidInput::new("id", error.to_string()));
        let numbers = units("cost", real).and_then(|real| Ok((real, Millis::new(units("at", at)?))));
        future_to_promise(async move {
            let (request, (real, at)) = (request.map_err(invalid)?, numbers.map_err(invalid)?);
            let charge = find(&state, input).await?;
            match settle::settle(&state, &charge, &request, at, real).await {
                Ok(outcome) => Ok(outcome.to_string().into()),
                Err(CheckError::Invalid(error)) => Err(invalid(error.into())),
                Err(CheckError::Redis(error)) => Err(make_error("RedisError", &error.to_string(), "")),
            }
        })
    }

    /// Releases the lease of a request; `locally` if the fallback limiter has granted it.
    pub fn release(&self, input: &str, lease: &str, locally: bool) -> Promise {
        let (state, input) = (Rc::clone(&self.state), self.read(input));
        let lease = LeaseId::new(lease).map_err(|error| InvalidInput::new("lease", error.to_string()));
        future_to_promise(async move {
            let charge = Charge { lease: Some(lease.map_err(invalid)?), ..find(&state, input).await? };
            match Lease::of(&charge) {
                Some(lease) if locally => lease.release_locally(&state),
                Some(lease) => lease.release(&state).await,
                None => {}
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Resolves an API key that a client at `address` has sent. Resolves to the tenant as JSON, or to `null` if the key
    /// is not valid.
    pub fn authenticate(&self, key: String, address: Option<String>) -> Promise {
        let state = Rc::clone(&self.state);
        future_to_promise(async move {
            match tenants::authenticate(&state, &key, address.as_deref()).await {
                Ok(tenant) => Ok(tenant.to_string().into()),
                Err(Failure::Invalid(error)) => Err(invalid(error)),
                Err(Failure::Unresolved(error)) => Err(make_error("AuthenticationError", &error.to_string(), "")),
            }
        })
    }

    fn read(&self, input: &str) -> Result<CheckInput, InvalidInput> {
        let config = &self.state.config;
        let value: Value = serde_json::from_str(input).map_err(|error| InvalidInput::new("", error.to_string()))?;
        CheckInput::read(&value, config, Some(&config.default_plan))
    }
}

/// Finds the charge of an earlier check.
async fn find(state: &Rc<State>, input: Result<CheckInput, InvalidInput>) -> Result<Charge, JsValue> {
    let deadline = state.deadline();
    let limiter = state.limiter(&deadline);
    match Charge::find(state, &limiter, input.map_err(invalid)?).await {
        Ok(Charge { unread: Some(error), .. }) => Err(make_error("RedisError", &error.to_string(), "")),
        Ok(charge) => Ok(charge),
        Err(Uncharged::Invalid(error)) => Err(invalid(error)),
        Err(Uncharged::Refused(_)) => Err(invalid(InvalidInput::new("tenant", "does not exist any more"))),
    }
}

/// Reads a whole number of units or milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "within bounds"
)]
fn units(path: &str, number: f64) -> Result<u64, InvalidInput> {
    if number.fract() == 0.0 && (0.0..=MAX_INTEGER as f64).contains(&number) {
        return Ok(number as u64);
    }
    Err(InvalidInput::new(path, format!("expected a whole number from 0 to {MAX_INTEGER}, found {number}")))
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of the error")]
fn invalid(error: InvalidInput) -> JsValue {
    let path = error.problems().first().map_or("", |problem| problem.path.as_str());
    make_error("InputError", &error.to_string(), path)
}
