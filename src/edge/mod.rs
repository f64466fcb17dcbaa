//! The Worker: the only code that knows the Workers runtime. It moves bytes; the core decides.

mod answer;
mod gate;
mod proxy;

use js_sys::Date;
use url::Url;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, event};

use crate::facts::{Destination, Facts};
use crate::limiter::{CheckError, Now};
use crate::policy::{Clock, Limit, OnOutage};
use crate::problem::Problem;
use crate::question::{LeaseId, Request};
use crate::redis::RedisError;
use crate::subject::Subject;
use crate::time::Millis;
use crate::verdict::Verdict;
use gate::Gate;

/// One request, from the client to its answer.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> worker::Result<web_sys::Response> {
    // The URL as the origin will get it: the runtime resolves `.` and `..` when the request goes on.
    let Ok(url) = Url::parse(&request.url()) else {
        return Ok(answer::problem(&Problem::unreadable_url())?);
    };
    let facts = facts(&request, &url);
    let gate = gate::of_isolate(&env);
    match facts.destination() {
        Destination::Health => return Ok(answer::health(&facts, gate.as_deref(), now()).await?),
        Destination::Demo => return Ok(answer::demo(&facts, &request, &env).await?),
        Destination::Nothing => return Ok(answer::problem(&Problem::not_found())?),
        Destination::Origin => {}
    }
    let gate = match gate {
        Ok(gate) => gate,
        Err(reason) => {
            worker::console_error!("configuration: {reason}");
            return Ok(answer::problem(&Problem::misconfigured())?);
        }
    };
    let started = now();
    let verdict = judge(&gate, &facts, started).await;
    let spent = Millis::new(now().get().saturating_sub(started.get()));
    let refusal = match &verdict {
        Ok(Verdict::Allow(_)) => None,
        Ok(verdict @ Verdict::Deny(_)) => Some(Problem::quota_exceeded(verdict)),
        Err(CheckError::Redis(error)) => on_outage(error, gate.config.on_outage),
        Err(CheckError::Question(error)) => {
            worker::console_error!("cannot be judged: {error}");
            Some(Problem::misconfigured())
        }
    };
    let response = match refusal {
        Some(problem) => answer::problem(&problem)?,
        None => answer::of_origin(proxy::forward(&gate.origin, &request, &url, &facts).await)?,
    };
    answer::add_limits(&response, verdict.as_ref().ok(), spent)?;
    Ok(response)
}

/// What the configuration says of a request that could not be judged. Never silent.
fn on_outage(error: &RedisError, policy: OnOutage) -> Option<Problem> {
    match policy {
        OnOutage::Open => {
            worker::console_error!("{error}; forwarded the request unjudged (on_outage = open)");
            None
        }
        OnOutage::Closed => {
            worker::console_error!("{error}; refused the request (on_outage = closed)");
            Some(Problem::limiter_unavailable())
        }
    }
}

/// What the request shows of itself and of the client. Only the edge's own header is believed for the address.
fn facts(request: &web_sys::Request, url: &Url) -> Facts {
    let address = request.headers().get("cf-connecting-ip").ok().flatten();
    Facts {
        method: request.method(),
        path: url.path().to_owned(),
        address: address.and_then(|address| address.parse().ok()),
    }
}

/// Asks Redis. A lease of a request is not given back yet when the answer is complete: it ends by itself.
async fn judge(gate: &Gate, facts: &Facts, now: Millis) -> Result<Verdict, CheckError> {
    let subject = Subject::identify(facts, &gate.config);
    let limits = gate.config.default_plan.limits();
    let lease = limits.iter().any(Limit::needs_lease).then(random_uuid).and_then(|id| LeaseId::new(&id).ok());
    let now = match gate.config.clock {
        Clock::Edge => Now::At(now),
        Clock::Redis => Now::Redis,
    };
    gate.limiter.check(&subject, limits, Request { cost: 1, lease: lease.as_ref() }, now).await
}

#[wasm_bindgen]
extern "C" {
    /// 128 bits of which 122 are random, as 36 characters (Web Cryptography API).
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// The edge's clock. In the Workers runtime it advances only after I/O.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970, whole")]
fn now() -> Millis {
    Millis::new(Date::now() as u64)
}
