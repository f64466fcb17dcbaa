//! A transport behind a circuit breaker.

use std::cell::RefCell;

use super::breaker::{Change, CircuitBreaker};
use crate::redis::{RedisError, Response, Transport};
use crate::time::Millis;

/// A transport that fails at once while its breaker is open. It wraps another transport; several of these may share one
/// breaker.
#[derive(Debug, Clone, Copy)]
pub struct Guarded<'a, T, S> {
    transport: T,
    breaker: &'a RefCell<CircuitBreaker>,
    surroundings: &'a S,
}

/// What a guarded transport needs of the program around it.
pub trait Surroundings {
    /// Returns the current time.
    fn now(&self) -> Millis;

    /// Reports a change of the breaker. `cause` is what made the last call fail, if it failed.
    fn breaker_changed(&self, change: Change, cause: Option<&str>);
}

impl<'a, T, S> Guarded<'a, T, S> {
    /// Puts `transport` behind `breaker`.
    pub fn new(transport: T, breaker: &'a RefCell<CircuitBreaker>, surroundings: &'a S) -> Self {
        Guarded { transport, breaker, surroundings }
    }
}

impl<T: Transport, S: Surroundings> Transport for Guarded<'_, T, S> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let permit = {
            let mut breaker = self.breaker.borrow_mut();
            let permit = breaker.permit(self.surroundings.now());
            permit.map_err(|retry| RedisError::NotAsked { retry, cause: breaker.cause().to_owned() })?
        };
        let result = self.transport.post(body).await;
        let failure = failure(&result);
        let change = self.breaker.borrow_mut().record(&permit, failure.as_deref(), self.surroundings.now());
        if let Some(change) = change {
            self.surroundings.breaker_changed(change, failure.as_deref());
        }
        result
    }
}

/// Returns why a call counts as a failure; `None` if Redis has answered. An error that Redis itself reports for one
/// command, such as a key of the wrong type, is an answer: the next command may succeed.
fn failure(result: &Result<Response, RedisError>) -> Option<String> {
    let response = match result {
        Ok(response) => response,
        Err(error) => return Some(error.to_string()),
    };
    // Successes are most frequent, and are recognized without parsing.
    if response.status == 200 && response.body.starts_with(b"{\"result\":") && response.body.ends_with(b"}") {
        return None;
    }
    match crate::redis::parse::<serde::de::IgnoredAny>(response) {
        Ok(_) | Err(RedisError::UnknownScript | RedisError::Command { .. }) => None,
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
