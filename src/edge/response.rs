//! Builds the responses that do not come from the origin, and the rate limit headers of all.

use serde_json::{Map, Value};
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::Env;

use super::decision::{Decision, Outcome};
use super::isolate::Isolate;
use super::{glue, log};
use crate::gateway::Charge;
use crate::http::problem::{self, Problem};
use crate::http::{RequestFacts, push_field, rate_limit};
use crate::time::Millis;

/// Returns a problem as a response. It must not be cached.
pub(super) fn problem(problem: &Problem) -> Result<Response, JsValue> {
    problem_with(problem, "")
}

/// Same as [`problem`], with the headers `added`, in lines.
pub(super) fn problem_with(problem: &Problem, added: &str) -> Result<Response, JsValue> {
    json(problem.status, problem::CONTENT_TYPE, &problem.body(), problem.headers(), added)
}

/// Returns the rate limit headers and the duration of the decision, in lines. They are added to those of the origin's
/// response, which stay: several limiters may be chained.
pub(super) fn limiter_fields(decision: &Decision, duration: Millis) -> String {
    let charge = decision.charge();
    let shadow = charge.is_some_and(Charge::is_shadow);
    let mut headers = String::new();
    for (name, value) in decision.verdict.iter().flat_map(|verdict| rate_limit::fields(verdict, shadow)) {
        push_field(&mut headers, name, &value);
    }
    let description = match (&decision.outcome, &decision.verdict) {
        (_, None) if charge.is_some() => ";desc=\"unjudged\"",
        (Outcome::Refuse(_), _) => ";desc=\"refused\"",
        (Outcome::Forward, Some(verdict)) if !verdict.is_allow() => ";desc=\"shadow\"",
        (Outcome::Forward, None) => ";desc=\"exempt\"",
        (Outcome::Forward, Some(_)) => "",
    };
    push_field(&mut headers, "server-timing", &format!("limiter;dur={}{description}", duration.get()));
    headers
}

/// Responds to `/_sluicegate/health`: 200, or 503 with the part that fails. The log has the reason.
pub(super) async fn health(
    facts: &RequestFacts,
    isolate: Result<&Isolate, &String>,
    now: Millis,
) -> Result<Response, JsValue> {
    if !is_read(facts) {
        return problem(&Problem::method_not_allowed());
    }
    let failing = match isolate {
        Err(reason) => {
            log::failure("configuration", reason);
            Some("configuration")
        }
        Ok(isolate) => (!isolate.redis_answers(now).await).then_some("redis"),
    };
    let (status, text) = if failing.is_none() { (200, "ok") } else { (503, "failing") };
    let mut body = Map::from_iter([("status".to_owned(), text.into())]);
    if let Some(part) = failing {
        body.insert("part".to_owned(), part.into());
    }
    if let Ok(isolate) = isolate {
        body.insert("breaker".to_owned(), isolate.breaker_state(now).name().into());
    }
    json(status, "application/json", &Value::Object(body).to_string(), &[], "")
}

/// Responds with a file of the console or of the demo page, if the Worker has it.
pub(super) async fn page(facts: &RequestFacts, request: &Request, env: &Env) -> Result<Response, JsValue> {
    if !is_read(facts) {
        return problem(&Problem::method_not_allowed());
    }
    match asset(request, env).await {
        Ok(response) => Ok(response),
        Err(error) => {
            log::failure("assets", &error);
            problem(&Problem::not_found())
        }
    }
}

async fn asset(request: &Request, env: &Env) -> worker::Result<Response> {
    let request = worker::Request::from(request.clone()?);
    Ok(env.assets("ASSETS")?.fetch_request(request).await?.into())
}

fn is_read(facts: &RequestFacts) -> bool {
    matches!(facts.method.as_str(), "GET" | "HEAD")
}

fn json(
    status: u16,
    content_type: &str,
    body: &str,
    more: &[(&str, String)],
    added: &str,
) -> Result<Response, JsValue> {
    let mut headers = String::new();
    push_field(&mut headers, "content-type", content_type);
    push_field(&mut headers, "cache-control", "no-store");
    for (name, value) in more {
        push_field(&mut headers, name, value);
    }
    headers.push_str(added);
    glue::make_response(status, Some(body), &headers)
}
