//! `POST /explain`: what would happen to a request.

use serde_json::Value;

use super::admin::Admin;
use super::explain_input::{self, ExplainInput};
use super::explanation;
use super::response::{Failure, Response};
use crate::config::{Config, Origin, json};
use crate::gateway::{Credentials, Explainer};
use crate::redis::Transport;
use crate::time::Millis;

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn explain(&self, body: &Value) -> Result<Response, Failure> {
        let ExplainInput { request, .. } = explain_input::read(body, self.config, &[])?;
        let explainer = Explainer::new(self.config, self.origin, &request, self.now());
        let mut credentials = Credentials::NONE;
        if let Some(key) = explainer.key() {
            let stored = self.tenants().get(key.tenant()).await?;
            credentials = Credentials::of_key(&key, stored.map(|stored| stored.tenant), self.now());
        }
        if let Some(token) = explainer.token(&credentials) {
            credentials = match self.tokens {
                Some(tokens) => explainer.with_token(credentials, tokens.verify(&token).await),
                None => explainer.with_assumed_token(credentials, &token),
            };
        }
        Ok(Response::json(200, &explanation::json(explainer.explain(credentials))))
    }
}

/// Explains a request by a configuration alone: a JSON text like the body of `POST /explain`, which may have the `plan`
/// of the tenant of its API key (the default plan if it has none). Returns the JSON of the answer. `origin` is the
/// variable `ORIGIN`; without it, requests go to the origin of the zone.
///
/// An API key and the signature of a token are not verified: the explanation says that it assumes them to be valid.
///
/// # Errors
/// Returns the problems if the configuration, the origin or the request is invalid.
pub fn explain_offline(config: &str, origin: Option<&str>, request: &str, now: Millis) -> Result<String, String> {
    let config = Config::from_json(config).map_err(|error| error.to_string())?;
    let origin = origin.map_or(Ok(Origin::Zone), Origin::parse).map_err(|problem| format!("ORIGIN: {problem}"))?;
    let body = json::parse(request.as_bytes()).map_err(|invalid| invalid.to_string())?;
    let input = explain_input::read(&body, &config, &[explain_input::PLAN]).map_err(|invalid| invalid.to_string())?;
    let explainer = Explainer::new(&config, &origin, &input.request, now);
    let plan = input.plan.as_ref().unwrap_or(&config.default_plan_name);
    let mut credentials = explainer.key().map_or(Credentials::NONE, |key| Credentials::of_assumed_key(&key, plan));
    if let Some(token) = explainer.token(&credentials) {
        credentials = explainer.with_assumed_token(credentials, &token);
    }
    Ok(explanation::json(explainer.explain(credentials)).to_string())
}
