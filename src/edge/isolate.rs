//! The state that an isolate keeps between requests.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::JSON;
use worker::Env;

use super::js::{AnalyticsEngine, RateLimitBinding, binding, property};
use super::log::{self, DecisionLog};
use crate::config::Config;
use crate::config::environment::{Environment, Origin};
use crate::limit::memory::{Capacity, MemoryLimiter};
use crate::limiter::Limiter;
use crate::redis::{self, Command, HttpTransport, Token};
use crate::tenant::authenticator::Authenticator;
use crate::tenant::store::TenantStore;
use crate::time::Millis;

/// The state of an isolate, made on its first request. It can be lost with the isolate at any time.
pub(super) struct Isolate {
    pub(super) config: Config,
    pub(super) origin: Origin,
    pub(super) limiter: Limiter<HttpTransport>,
    pub(super) admin_token: Option<Token>,
    /// Resolves API keys to tenants.
    pub(super) authenticator: Authenticator,
    /// The fallback limiter, used when Redis is unavailable and `on_outage` is `local`.
    pub(super) fallback: RefCell<MemoryLimiter>,
    /// The rate limit binding that is checked after the fallback limiter, if the Worker has it.
    pub(super) last_resort: Option<RateLimitBinding>,
    /// The data set for data points, if the Worker has it.
    pub(super) analytics: Option<AnalyticsEngine>,
    /// The log of decisions.
    pub(super) decision_log: DecisionLog,
    /// The time of the last `PING`, and whether Redis answered it.
    last_ping: Cell<Option<(Millis, bool)>>,
}

thread_local! {
    static ISOLATE: OnceCell<Result<Rc<Isolate>, String>> = const { OnceCell::new() };
}

/// Returns the state of this isolate. The first call makes it from the variables of `env`.
///
/// # Errors
/// Returns the reason if the variables are invalid.
pub(super) fn current(env: &Env) -> Result<Rc<Isolate>, String> {
    ISOLATE.with(|isolate| isolate.get_or_init(|| Isolate::new(env).map(Rc::new)).clone())
}

impl Isolate {
    fn new(env: &Env) -> Result<Self, String> {
        let environment = Environment::read(|name| variable(env, name)).map_err(|error| error.to_string())?;
        let dialect = environment.dialect();
        let transport = HttpTransport::new(environment.redis, &environment.token, environment.config.timeout);
        Ok(Isolate {
            authenticator: Authenticator::new(&environment.config),
            decision_log: DecisionLog::new(environment.config.log_allowed_one_in),
            config: environment.config,
            origin: environment.origin,
            limiter: Limiter::new(transport, dialect),
            admin_token: environment.admin_token,
            fallback: RefCell::new(MemoryLimiter::new(Capacity::default())),
            last_resort: binding(env, LAST_RESORT),
            analytics: binding(env, ANALYTICS),
            last_ping: Cell::new(None),
        })
    }

    /// Returns the store of tenants in Redis.
    pub(super) fn tenants(&self) -> TenantStore<'_, HttpTransport> {
        TenantStore::new(self.limiter.transport(), self.limiter.dialect())
    }

    /// Returns whether Redis answers. Sends at most one `PING` per second: it costs a command, and anybody can request
    /// the health endpoint.
    pub(super) async fn redis_answers(&self, now: Millis) -> bool {
        if let Some((sent, answered)) = self.last_ping.get()
            && now < Millis::new(sent.get() + PING_EVERY.get())
        {
            return answered;
        }
        let reply = redis::run::<String>(self.limiter.transport(), Command::new("PING")).await;
        if let Err(error) = &reply {
            log::failure("redis", error);
        }
        self.last_ping.set(Some((now, reply.is_ok())));
        reply.is_ok()
    }
}

/// Returns a variable or secret as text. An object, such as a nested table of wrangler.toml, is written as JSON.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = property(env, name)?;
    value.as_string().or_else(|| JSON::stringify(&value).ok().map(String::from))
}

const PING_EVERY: Millis = Millis::from_secs(1);

/// The name of the rate limit binding.
const LAST_RESORT: &str = "LAST_RESORT";

/// The name of the binding of Analytics Engine.
const ANALYTICS: &str = "ANALYTICS";
