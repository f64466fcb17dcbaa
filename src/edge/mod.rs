//! The Worker: the only room that knows the Workers runtime. It moves bytes; the core decides. It may use every room.
//!
//! This file has the whole of a request, from the client to the response. Its steps:
//!
//! - `facts`: reads method, URL, headers, client address and API key.
//! - `decide`: finds the route, authenticates the caller, and has the charge checked; `decision` is the result.
//! - `jwt`: verifies a JSON Web Token, with `web_crypto`, and fetches the keys for it.
//! - `check`: spends units that were taken in advance, repeats a remembered refusal, checks the charge in Redis, or
//!   follows the outage policy.
//! - `prefetch`: gives back units that were taken from Redis in advance.
//! - `proxy`: forwards an allowed request to the origin; `response`: builds every other response.
//! - `cors`: handles preflights, and lets pages of other origins read our responses.
//! - `completion`: settles the cost and releases the lease after the response; `lease` serves it.
//! - `bodies`: reads bodies on their way, on the routes that need it.
//!
//! Around the request: `keep_alive` (it survives its client), `source` (the configuration), `polled` (calls to Redis),
//! `isolate` (state between requests), `api` (the admin and check API), `explain` (tokens for it), `schedule` (the cron
//! trigger), `log`, `analytics`, `events` (what an operator sees live), `overview` (what the isolate reports of its
//! tenants), `glue` (what each request needs of JavaScript), and `js` (other bindings to the runtime).

mod analytics;
mod api;
mod bodies;
mod check;
mod completion;
mod cors;
mod decide;
mod decision;
mod events;
mod explain;
mod facts;
mod glue;
mod isolate;
mod js;
mod jwt;
mod keep_alive;
mod lease;
mod log;
mod overview;
mod polled;
mod prefetch;
mod proxy;
mod response;
mod schedule;
mod source;
mod web_crypto;

use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::{Context, Env, event};

use self::completion::OriginResponse;
use self::decision::{Decision, Outcome};
use self::facts::ClientRequest;
use self::isolate::Isolate;
use self::js::now;
use self::keep_alive::KeepAlive;
use self::proxy::Beside;
use crate::gateway::{AnnouncedRequest, Charge};
use crate::http::Destination;
use crate::http::problem::Problem;
use crate::time::Millis;

/// Handles a request: by its destination, the origin or an endpoint of sluicegate.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    KeepAlive::during(&context, respond(&request, &env, &context)).await
}

/// Responds to a request.
async fn respond(request: &Request, env: &Env, context: &Context) -> worker::Result<Response> {
    let isolate = source::current(env).await;
    source::refresh_later(env, context);
    let head = glue::read_request(request);
    let Some(client) = ClientRequest::read(request, &head, isolate.as_deref().ok()) else {
        return Ok(response::problem(&Problem::unreadable_url())?);
    };
    let facts = &client.facts;
    let destination = facts.destination();
    match destination {
        Destination::Health => return Ok(response::health(facts, isolate.as_deref(), now()).await?),
        Destination::Page => return Ok(response::page(facts, request, env).await?),
        Destination::Unknown => return Ok(response::problem(&Problem::not_found())?),
        Destination::Api(_) | Destination::Origin => {}
    }
    let isolate = match isolate {
        Ok(isolate) => isolate,
        Err(reason) => {
            log::failure("configuration", &reason);
            return Ok(response::problem(&Problem::misconfigured())?);
        }
    };
    Ok(match (destination, &isolate.admin_token) {
        (Destination::Api(path), Some(token)) => api::respond(&isolate, context, token, &client, path).await?,
        (Destination::Api(_), None) => response::problem(&Problem::not_found())?,
        _ => limit(&isolate, context, &client).await?,
    })
}

/// Decides about a request for the origin, then forwards or refuses it.
async fn limit(isolate: &Rc<Isolate>, context: &Context, client: &ClientRequest<'_>) -> Result<Response, JsValue> {
    if let Some(announced) = cors::announced(isolate, client) {
        return preflight(isolate, context, client, &announced).await;
    }
    let started = now();
    let decision = decide::decide(isolate, context, client).await;
    let duration = now().saturating_sub(started);
    isolate.decision_log.write(&client.facts, &decision, duration);
    events::decided(&client.facts, &decision);
    analytics::write(isolate, client.request, &decision, duration);
    let added = response::limiter_fields(&decision, duration);
    match &decision.outcome {
        Outcome::Refuse(problem) => cors::problem(isolate, client, problem, &added),
        Outcome::Forward => forward(isolate, context, client, &decision, &added).await,
    }
}

/// Forwards or answers a preflight, which is not limited.
async fn preflight(
    isolate: &Rc<Isolate>,
    context: &Context,
    client: &ClientRequest<'_>,
    announced: &AnnouncedRequest<'_>,
) -> Result<Response, JsValue> {
    let decision = Decision { route: announced.route.cloned(), ..Decision::new() };
    isolate.decision_log.write(&client.facts, &decision, Millis::ZERO);
    events::decided(&client.facts, &decision);
    analytics::write(isolate, client.request, &decision, Millis::ZERO);
    let added = response::limiter_fields(&decision, Millis::ZERO);
    if announced.is_answered() {
        return cors::answer(announced, client, &added);
    }
    forward(isolate, context, client, &decision, &added).await
}

/// Forwards a request to the origin and returns its response with the headers `added`. The cost and the lease are settled
/// afterwards.
async fn forward(
    isolate: &Rc<Isolate>,
    context: &Context,
    client: &ClientRequest<'_>,
    decision: &Decision,
    added: &str,
) -> Result<Response, JsValue> {
    let completion = completion::schedule(isolate, context, decision);
    let charge = decision.charge().filter(|_| completion.is_some());
    let beside = Beside {
        watch: charge.is_some_and(|charge| charge.leases().next().is_some()),
        settle: charge.and_then(Charge::settled_by),
    };
    let forwarded = proxy::forward(isolate, client, decision, beside, added).await;
    if forwarded.is_err() && client.request.signal().aborted() {
        // The client has disconnected, the origin has not failed. Dropping `completion` keeps the charge and releases
        // the lease.
        return response::problem_with(&Problem::origin_unreachable(), added);
    }
    let (response, ended) = match forwarded {
        Ok((response, ended)) => (Ok(response), ended),
        Err(error) => {
            log::failure("origin", &error);
            (cors::problem(isolate, client, &error.problem(), added), OriginResponse::failed())
        }
    };
    if let Some(completion) = completion {
        // The receiver lives as long as this request.
        let _ = completion.send(ended);
    }
    response
}
