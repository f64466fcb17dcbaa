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

use decision::{Judgement, Passage};
use isolate::Gate;
use js::now;
use url::Url;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::{Context, Env, event};

use crate::http::problem::Problem;
use crate::http::{Destination, Facts};
use crate::time::Millis;

/// One request, from the client to its answer.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    // The URL as the origin will get it: the runtime resolves `.` and `..` when the request goes on.
    let Ok(url) = Url::parse(&request.url()) else {
        return Ok(response::problem(&Problem::unreadable_url())?);
    };
    let gate = isolate::of_isolate(&env);
    let facts = decide::facts(&request, &url, gate.as_deref().ok());
    let destination = facts.destination();
    match destination {
        Destination::Health => return Ok(response::health(&facts, gate.as_deref(), now()).await?),
        Destination::Demo => return Ok(response::demo(&facts, &request, &env).await?),
        Destination::Nothing => return Ok(response::problem(&Problem::not_found())?),
        Destination::Api(_) | Destination::Origin => {}
    }
    let gate = match gate {
        Ok(gate) => gate,
        Err(reason) => {
            log::failure("configuration", &reason);
            return Ok(response::problem(&Problem::misconfigured())?);
        }
    };
    Ok(match (destination, &gate.admin_token) {
        (Destination::Api(path), Some(token)) => api::answer(&gate, token, &request, path, url.query()).await?,
        (Destination::Api(_), None) => response::problem(&Problem::not_found())?,
        _ => pass(&gate, &context, &request, &url, &facts).await?,
    })
}

/// Judges a request for the origin and lets it pass, or not.
async fn pass(
    gate: &Rc<Gate>,
    context: &Context,
    request: &Request,
    url: &Url,
    facts: &Facts,
) -> Result<Response, JsValue> {
    let started = now();
    let judgement = decide::judge(gate, context, facts).await;
    let spent = Millis::new(now().get().saturating_sub(started.get()));
    if wants_line(gate, &judgement) {
        log::judgement(facts, &judgement);
    }
    analytics::write(gate, request, &judgement, spent);
    let response = match &judgement.passage {
        Passage::Refused(problem) => response::problem(problem)?,
        Passage::Open => forward(gate, context, request, url, facts, &judgement).await?,
    };
    response::add_limits(&response, &judgement, spent)?;
    Ok(response)
}

/// Forwards a request, and sees to it that its cost and its lease are put right when it is answered.
async fn forward(
    gate: &Rc<Gate>,
    context: &Context,
    request: &Request,
    url: &Url,
    facts: &Facts,
    judgement: &Judgement,
) -> Result<Response, JsValue> {
    let after = completion::expect(gate, context, judgement);
    let admission = judgement.admission.as_ref();
    let charge = admission.and_then(|admission| admission.charge.as_ref());
    let tenant = admission.and_then(|admission| admission.tenant.as_ref());
    let watched = after.is_some() && charge.is_some_and(|charge| charge.leases().next().is_some());
    let forwarded = proxy::forward(&gate.origin, request, url, facts, tenant, watched).await;
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
fn wants_line(gate: &Gate, judgement: &Judgement) -> bool {
    let denied = judgement.verdict.as_ref().is_some_and(|verdict| !verdict.is_allow());
    if denied || matches!(judgement.passage, Passage::Refused(_)) {
        return true;
    }
    let count = gate.passed.get() + 1;
    let wanted = gate.config.log_allowed_one_in > 0 && count >= gate.config.log_allowed_one_in;
    gate.passed.set(if wanted { 0 } else { count });
    wanted
}
