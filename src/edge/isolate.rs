//! What an isolate keeps between requests.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::JSON;
use worker::Env;

use super::js::{AnalyticsEngine, RateLimitBinding, binding, property};
use super::log;
use crate::config::Config;
use crate::config::environment::{Environment, Origin};
use crate::limit::memory::{Capacity, MemoryLimiter};
use crate::limiter::Limiter;
use crate::redis::{self, Command, HttpTransport, Token};
use crate::tenant::authenticator::Authenticator;
use crate::tenant::store::TenantStore;
use crate::time::Millis;

/// The configuration, the way to Redis, and what is remembered, made once an isolate. It can be lost with the isolate
/// at any time.
pub(super) struct Isolate {
    pub(super) config: Config,
    pub(super) origin: Origin,
    pub(super) limiter: Limiter<HttpTransport>,
    pub(super) admin_token: Option<Token>,
    /// Whose the API keys are.
    pub(super) directory: Authenticator,
    /// Who judges when Redis is away and `on_outage` is `local`.
    pub(super) local: RefCell<MemoryLimiter>,
    /// The binding that also judges then, where the deployment has it.
    pub(super) last_resort: Option<RateLimitBinding>,
    /// Where data points go, where the deployment wants them.
    pub(super) analytics: Option<AnalyticsEngine>,
    /// Requests that passed, to log one of so many.
    pub(super) passed: Cell<u64>,
    last_ping: Cell<Option<(Millis, bool)>>,
}

thread_local! {
    static ISOLATE: OnceCell<Result<Rc<Isolate>, String>> = const { OnceCell::new() };
}

/// The isolate's gate, made from the variables of `env` on the first call; or what is wrong with them.
pub(super) fn current(env: &Env) -> Result<Rc<Isolate>, String> {
    ISOLATE.with(|isolate| isolate.get_or_init(|| Isolate::new(env).map(Rc::new)).clone())
}

impl Isolate {
    fn new(env: &Env) -> Result<Self, String> {
        let environment = Environment::read(|name| variable(env, name)).map_err(|error| error.to_string())?;
        let dialect = environment.dialect();
        let transport = HttpTransport::new(environment.redis, &environment.token, environment.config.timeout);
        Ok(Isolate {
            directory: Authenticator::new(&environment.config),
            config: environment.config,
            origin: environment.origin,
            limiter: Limiter::new(transport, dialect),
            admin_token: environment.admin_token,
            local: RefCell::new(MemoryLimiter::new(Capacity::default())),
            last_resort: binding(env, LAST_RESORT),
            analytics: binding(env, ANALYTICS),
            passed: Cell::new(0),
            last_ping: Cell::new(None),
        })
    }

    /// The tenants in Redis.
    pub(super) fn tenants(&self) -> TenantStore<'_, HttpTransport> {
        TenantStore::new(self.limiter.transport(), self.limiter.dialect())
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
