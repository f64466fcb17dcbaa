//! What an isolate keeps between requests.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use worker::Env;

use crate::config::Config;
use crate::deployment::{Deployment, Origin};
use crate::limiter::Limiter;
use crate::redis::{self, Command, HttpTransport};
use crate::time::Millis;

/// The configuration and the way to Redis, made once an isolate. It can be lost with the isolate at any time.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) config: Config,
    pub(super) origin: Origin,
    pub(super) limiter: Limiter<HttpTransport>,
    last_ping: Cell<Option<(Millis, bool)>>,
}

thread_local! {
    static GATE: OnceCell<Result<Rc<Gate>, String>> = const { OnceCell::new() };
}

/// The isolate's gate, made from the variables of `env` on the first call; or what is wrong with them.
pub(super) fn of_isolate(env: &Env) -> Result<Rc<Gate>, String> {
    GATE.with(|gate| gate.get_or_init(|| Gate::new(env).map(Rc::new)).clone())
}

impl Gate {
    fn new(env: &Env) -> Result<Self, String> {
        let deployment = Deployment::read(|name| variable(env, name)).map_err(|error| error.to_string())?;
        let spelling = deployment.spelling();
        let transport = HttpTransport::new(deployment.redis, &deployment.token, deployment.config.timeout);
        Ok(Gate {
            config: deployment.config,
            origin: deployment.origin,
            limiter: Limiter::new(transport, spelling),
            last_ping: Cell::new(None),
        })
    }

    /// Whether Redis answers. Asked at most once a second: the question costs a command, and anybody may ask.
    pub(super) async fn redis_answers(&self, now: Millis) -> bool {
        if let Some((asked, answered)) = self.last_ping.get()
            && now < Millis::new(asked.get() + PING_EVERY.get())
        {
            return answered;
        }
        let answer = redis::run::<String>(self.limiter.transport(), Command::new("PING")).await;
        if let Err(error) = &answer {
            worker::console_error!("redis: {error}");
        }
        self.last_ping.set(Some((now, answer.is_ok())));
        answer.is_ok()
    }
}

/// A variable or secret as text. One that is an object, as a nested table of wrangler.toml is, comes as JSON.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    if value.is_undefined() || value.is_null() {
        return None;
    }
    value.as_string().or_else(|| JSON::stringify(&value).ok().map(String::from))
}

const PING_EVERY: Millis = Millis::from_secs(1);
