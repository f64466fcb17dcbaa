//! What an isolate keeps between requests.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::JSON;
use worker::Env;

use super::js::{AnalyticsEngine, RateLimitBinding, binding, property};
use super::log;
use crate::config::Config;
use crate::config::environment::{Deployment, Origin};
use crate::limit::memory::{Bounds, Local};
use crate::limiter::Limiter;
use crate::redis::{self, Command, HttpTransport, Token};
use crate::tenant::authenticator::Directory;
use crate::tenant::store::Tenants;
use crate::time::Millis;

/// The configuration, the way to Redis, and what is remembered, made once an isolate. It can be lost with the isolate
/// at any time.
pub(super) struct Gate {
    pub(super) config: Config,
    pub(super) origin: Origin,
    pub(super) limiter: Limiter<HttpTransport>,
    pub(super) admin_token: Option<Token>,
    /// Whose the API keys are.
    pub(super) directory: Directory,
    /// Who judges when Redis is away and `on_outage` is `local`.
    pub(super) local: RefCell<Local>,
    /// The binding that also judges then, where the deployment has it.
    pub(super) last_resort: Option<RateLimitBinding>,
    /// Where data points go, where the deployment wants them.
    pub(super) analytics: Option<AnalyticsEngine>,
    /// Requests that passed, to log one of so many.
    pub(super) passed: Cell<u64>,
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
            directory: Directory::new(&deployment.config),
            config: deployment.config,
            origin: deployment.origin,
            limiter: Limiter::new(transport, spelling),
            admin_token: deployment.admin_token,
            local: RefCell::new(Local::new(Bounds::default())),
            last_resort: binding(env, LAST_RESORT),
            analytics: binding(env, ANALYTICS),
            passed: Cell::new(0),
            last_ping: Cell::new(None),
        })
    }

    /// The tenants in Redis.
    pub(super) fn tenants(&self) -> Tenants<'_, HttpTransport> {
        Tenants::new(self.limiter.transport(), self.limiter.spelling())
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
            log::failure("redis", error);
        }
        self.last_ping.set(Some((now, answer.is_ok())));
        answer.is_ok()
    }
}

/// A variable or secret as text. One that is an object, as a nested table of wrangler.toml is, comes as JSON.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = property(env, name)?;
    value.as_string().or_else(|| JSON::stringify(&value).ok().map(String::from))
}

const PING_EVERY: Millis = Millis::from_secs(1);

/// The name of the binding that judges when nothing else can.
const LAST_RESORT: &str = "LAST_RESORT";

/// The name of the binding of Analytics Engine.
const ANALYTICS: &str = "ANALYTICS";
