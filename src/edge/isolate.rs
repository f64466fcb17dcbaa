//! The state that an isolate keeps between requests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use js_sys::JSON;
use wasm_bindgen::JsValue;
use worker::{Delay, Env};

use super::events;
use super::js::{AnalyticsEngine, RateLimitBinding, binding, now, property, random_bytes};
use super::jwt::Jwt;
use super::log::{self, DecisionLog};
use super::polled::Polled;
use crate::config::environment::{CONFIG, Environment};
use crate::config::{Config, Origin, OriginSecrets, missing_service};
use crate::limit::memory::{Capacity, MemoryLimiter};
use crate::limiter::breaker::{BreakerState, Change, CircuitBreaker, Guarded, Surroundings};
use crate::limiter::{Limiter, Prefetch, Refusals};
use crate::redis::script::Dialect;
use crate::redis::{self, Command, Deadline, HttpTransport, Timed, Token};
use crate::tenant::authenticator::Authenticator;
use crate::tenant::overview::Sightings;
use crate::time::Millis;

/// The state of an isolate under one configuration, made on its first request or when the configuration changes. It can be
/// lost with the isolate at any time.
pub(super) struct Isolate {
    pub(super) config: Config,
    pub(super) origin: Origin,
    /// The secrets that routes send to their origins.
    pub(super) origin_secrets: OriginSecrets,
    /// The bindings to the Workers that are origins, by name.
    services: BTreeMap<String, JsValue>,
    pub(super) admin_token: Option<Token>,
    /// Resolves API keys to tenants.
    pub(super) authenticator: Authenticator,
    /// Verifies tokens, if the configuration has rules for them.
    pub(super) jwt: Option<Rc<Jwt>>,
    /// The fallback limiter, used when Redis is unavailable and `on_outage` is `local`.
    pub(super) fallback: RefCell<MemoryLimiter>,
    /// The rate limit binding that is checked after the fallback limiter, if the Worker has it.
    pub(super) last_resort: Option<RateLimitBinding>,
    /// The data set for data points, if the Worker has it.
    pub(super) analytics: Option<AnalyticsEngine>,
    /// The log of decisions.
    pub(super) decision_log: DecisionLog,
    /// The client of Redis; each of its calls has the configured timeout.
    http: HttpTransport,
    /// The same without a timeout, for calls that share a deadline.
    http_until_deadline: HttpTransport,
    dialect: Dialect,
    /// The refusals that are repeated without asking Redis.
    refusals: Arc<Refusals>,
    /// The units that were taken from Redis in advance.
    prefetch: Arc<Prefetch>,
    /// What this isolate has seen of its tenants.
    pub(super) sightings: RefCell<Sightings>,
    /// Stops calls to Redis while it fails.
    breaker: RefCell<CircuitBreaker>,
    /// The time of the last `PING`, and whether Redis answered it.
    last_ping: Cell<Option<(Millis, bool)>>,
}

/// The way to Redis: through the circuit breaker, and with a deadline if the calls share one.
pub(super) type EdgeTransport<'a> = Guarded<'a, Timed<'a, Polled<'a>>, Program>;

/// The clock and the log, for the circuit breaker.
pub(super) struct Program;

impl Surroundings for Program {
    fn now(&self) -> Millis {
        now()
    }

    fn breaker_changed(&self, change: Change, cause: Option<&str>) {
        log::breaker(change, cause);
        events::breaker(change, cause);
    }
}

impl Isolate {
    /// Makes the state from the variables of `env`. `config` is the text of the configuration if that is not in a variable.
    ///
    /// # Errors
    /// Returns the reason if the variables or the configuration are invalid.
    pub(super) fn new(env: &Env, config: Option<&str>) -> Result<Self, String> {
        let variable = |name: &str| match config {
            Some(text) if name == CONFIG => Some(text.to_owned()),
            _ => variable(env, name),
        };
        let environment = Environment::read(variable).map_err(|error| error.to_string())?;
        let services = services(env, &environment)?;
        let dialect = environment.dialect();
        let config = environment.config;
        let http = HttpTransport::new(environment.redis, &environment.token, config.timeout);
        Ok(Isolate {
            authenticator: Authenticator::new(&config),
            decision_log: DecisionLog::new(&config),
            jwt: config.jwt.as_ref().map(|rules| Rc::new(Jwt::new(rules, environment.jwt_keys))),
            origin: environment.origin,
            origin_secrets: environment.origin_secrets,
            services,
            http_until_deadline: http.without_timeout(),
            http,
            dialect,
            refusals: Arc::new(Refusals::new(config.local_refusals, config.timeout)),
            prefetch: Arc::default(),
            sightings: RefCell::default(),
            breaker: RefCell::new(CircuitBreaker::new(config.timeout, u64::from_le_bytes(random_bytes()))),
            config,
            admin_token: environment.admin_token,
            fallback: RefCell::new(MemoryLimiter::new(Capacity::default())),
            last_resort: binding(env, LAST_RESORT),
            analytics: binding(env, ANALYTICS),
            last_ping: Cell::new(None),
        })
    }

    /// Keeps the keys of a former configuration if its rules for tokens are the same. Otherwise each change of a limit would
    /// fetch the keys again, and need their server.
    pub(super) fn keep_token_keys(&mut self, former: &Isolate) {
        if let (Some(new), Some(old)) = (&mut self.jwt, &former.jwt)
            && new.verifier.rules() == old.verifier.rules()
        {
            *new = Rc::clone(old);
        }
    }

    /// Returns the binding to a Worker that is an origin.
    pub(super) fn service(&self, name: &str) -> Option<&JsValue> {
        self.services.get(name)
    }

    /// Returns a deadline that passes when the configured timeout has. It begins with the first call that waits for it.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::new(self.timer())
    }

    /// Lets a deadline pass when the configured timeout has, from now on.
    pub(super) fn restart(&self, deadline: &Deadline) {
        deadline.restart(self.timer());
    }

    fn timer(&self) -> Delay {
        Delay::from(Duration::from(self.config.timeout))
    }

    /// Returns the limiter over Redis. Each of its calls has the configured timeout.
    pub(super) fn limiter(&self) -> Limiter<EdgeTransport<'_>> {
        self.limiter_over(Timed::new(Polled(&self.http), None))
    }

    /// Same as [`Isolate::limiter`], but all calls together end at the deadline.
    pub(super) fn limiter_until<'a>(&'a self, deadline: &'a Deadline) -> Limiter<EdgeTransport<'a>> {
        self.limiter_over(Timed::new(Polled(&self.http_until_deadline), Some(deadline)))
    }

    fn limiter_over<'a>(&'a self, transport: Timed<'a, Polled<'a>>) -> Limiter<EdgeTransport<'a>> {
        let transport = Guarded::new(transport, &self.breaker, &Program);
        Limiter::new(transport, self.dialect)
            .with_refusals(Arc::clone(&self.refusals))
            .with_prefetch(Arc::clone(&self.prefetch))
    }

    /// Returns the state of the circuit breaker.
    pub(super) fn breaker_state(&self, now: Millis) -> BreakerState {
        self.breaker.borrow().state(now)
    }

    /// Returns whether Redis answers. Sends at most one `PING` per second: it costs a command, and anybody can request
    /// the health endpoint.
    pub(super) async fn redis_answers(&self, now: Millis) -> bool {
        if let Some((sent, answered)) = self.last_ping.get()
            && now < sent.saturating_add(PING_EVERY)
        {
            return answered;
        }
        let reply = redis::run::<String>(self.limiter().transport(), Command::new("PING")).await;
        if let Err(error) = &reply {
            log::redis_failure("redis", error);
        }
        self.last_ping.set(Some((now, reply.is_ok())));
        reply.is_ok()
    }
}

/// Returns the bindings to the Workers that are origins, by name.
///
/// # Errors
/// Returns the reason if the Worker does not have one of them.
fn services(env: &Env, environment: &Environment) -> Result<BTreeMap<String, JsValue>, String> {
    let has_fetch = |service: &JsValue| property(service, "fetch").is_some_and(|fetch| fetch.is_function());
    let names = environment.origins().filter_map(|(path, origin)| Some((path, origin.service()?)));
    let services = names.map(|(path, name)| {
        let service = property(env, name).filter(has_fetch);
        let service = service.ok_or_else(|| missing_service(&path, name, "services").to_string())?;
        Ok((name.to_owned(), service))
    });
    services.collect()
}

/// Returns a variable or secret as text. An object, such as a nested table of wrangler.toml, is written as JSON.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = property(env, name)?;
    value.as_string().or_else(|| JSON::stringify(&value).ok().map(String::from))
}

const PING_EVERY: Millis = Millis::from_secs(1);

/// The name of the rate limit binding.
const LAST_RESORT: &str = "LAST_RESORT";

/// The name of the binding of Analytics Engine.
const ANALYTICS: &str = "ANALYTICS";
