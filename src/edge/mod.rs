//! The Worker: the only code that knows the Workers runtime. It moves bytes; the core decides.

mod analytics;
mod api;
mod completion;
mod decide;
mod decision;
mod isolate;
mod js;
mod keep_alive;
mod lease;
mod log;
mod proxy;
mod response;
mod schedule;

use std::rc::Rc;

use decision::{Decision, Outcome};
use isolate::Isolate;
use js::now;
use url::Url;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::{Context, Env, event};

use crate::http::problem::Problem;
use crate::http::{Destination, RequestFacts};
use crate::time::Millis;

/// One request, from the client to its answer.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    // The URL as the origin will get it: the runtime resolves `.` and `..` when the request goes on.
    let Ok(url) = Url::parse(&request.url()) else {
        return Ok(response::problem(&Problem::unreadable_url())?);
    };
    let isolate = isolate::current(&env);
    let facts = decide::facts(&request, &url, isolate.as_deref().ok());
    let destination = facts.destination();
    match destination {
        Destination::Health => return Ok(response::health(&facts, isolate.as_deref(), now()).await?),
        Destination::Demo => return Ok(response::demo(&facts, &request, &env).await?),
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
        (Destination::Api(path), Some(token)) => api::answer(&isolate, token, &request, path, url.query()).await?,
        (Destination::Api(_), None) => response::problem(&Problem::not_found())?,
        _ => pass(&isolate, &context, &request, &url, &facts).await?,
    })
}

/// Judges a request for the origin and lets it pass, or not.
async fn pass(
    isolate: &Rc<Isolate>,
    context: &Context,
    request: &Request,
    url: &Url,
    facts: &RequestFacts,
) -> Result<Response, JsValue> {
    let started = now();
    let decision = decide::decide(isolate, context, facts).await;
    let spent = Millis::new(now().get().saturating_sub(started.get()));
    if wants_line(isolate, &decision) {
        log::decision(facts, &decision);
    }
    analytics::write(isolate, request, &decision, spent);
    let response = match &decision.outcome {
        Outcome::Refuse(problem) => response::problem(problem)?,
        Outcome::Forward => forward(isolate, context, request, url, facts, &decision).await?,
    };
    response::add_limits(&response, &decision, spent)?;
    Ok(response)
}

/// Forwards a request, and sees to it that its cost and its lease are put right when it is answered.
async fn forward(
    isolate: &Rc<Isolate>,
    context: &Context,
    request: &Request,
    url: &Url,
    facts: &RequestFacts,
    decision: &Decision,
) -> Result<Response, JsValue> {
    let after = completion::expect(isolate, context, decision);
    let identified = decision.identified.as_ref();
    let charge = identified.and_then(|identified| identified.charge.as_ref());
    let tenant = identified.and_then(|identified| identified.tenant.as_ref());
    let watched = after.is_some() && charge.is_some_and(|charge| charge.leases().next().is_some());
    let forwarded = proxy::forward(&isolate.origin, request, url, facts, tenant, watched).await;
    if forwarded.is_err() && request.signal().aborted() {
        // Nobody reads it. The origin has not failed: the request costs what it was charged, and its lease ends.
        return response::problem(&Problem::origin_unreachable());
    }
    if let Some(after) = after {
        let answered = match &forwarded {
            Ok(answer) => answer.answered(charge.and_then(|charge| charge.settled_by()))?,
            Err(_) => completion::Answered { status: 502, cost: None, ended: None },
        };
        // The receiver lives as long as this request.
        let _ = after.send(answered);
    }
    response::of_origin(forwarded.map(|forwarded| forwarded.response))
}

/// Whether the log tells of a request: of each that is refused, or would be but for its route, and of one in so many
/// others.
fn wants_line(isolate: &Isolate, decision: &Decision) -> bool {
    let denied = decision.verdict.as_ref().is_some_and(|verdict| !verdict.is_allow());
    if denied || matches!(decision.outcome, Outcome::Refuse(_)) {
        return true;
    }
    let count = isolate.passed.get() + 1;
    let wanted = isolate.config.log_allowed_one_in > 0 && count >= isolate.config.log_allowed_one_in;
    isolate.passed.set(if wanted { 0 } else { count });
    wanted
}
