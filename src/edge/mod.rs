//! The Worker: the only code that knows the Workers runtime. It moves bytes; the core decides.

mod answer;
mod gate;
mod proxy;

use js_sys::Date;
use url::Url;
use worker::{Context, Env, event};

use crate::facts::{Destination, Facts};
use crate::limiter::Now;
use crate::policy::{Clock, OnOutage};
use crate::problem::Problem;
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
        Err(error) => on_outage(error, gate.config.on_outage),
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

async fn judge(gate: &Gate, facts: &Facts, now: Millis) -> Result<Verdict, RedisError> {
    let subject = Subject::identify(facts, &gate.config);
    let now = match gate.config.clock {
        Clock::Edge => Now::At(now),
        Clock::Redis => Now::Redis,
    };
    gate.limiter.check(&subject, gate.config.default_plan.limits(), 1, now).await
}

/// The edge's clock. In the Workers runtime it advances only after I/O.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970, whole")]
fn now() -> Millis {
    Millis::new(Date::now() as u64)
}
