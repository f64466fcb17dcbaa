//! What a gate keeps between checks.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use js_sys::Function;
use sluicegate::config::environment::RedisServer;
use sluicegate::config::{Config, ConfigError};
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limiter::breaker::{CircuitBreaker, Guarded};
use sluicegate::limiter::{Limiter, Now, Prefetch, Refusals};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{Deadline, Timed};
use sluicegate::tenant::authenticator::Authenticator;

use super::fetch::FetchTransport;
use super::js::{now, random};
use super::log::Log;
use super::timer::Timer;

/// The state of a gate. It can be lost with its isolate or process at any time.
pub(super) struct State {
    pub(super) config: Config,
    pub(super) log: Log,
    /// Reads tenants, and resolves API keys.
    pub(super) authenticator: Authenticator,
    /// The fallback limiter, used when Redis is unavailable and `on_outage` is `local`.
    pub(super) fallback: RefCell<MemoryLimiter>,
    transport: FetchTransport,
    dialect: Dialect,
    /// The refusals that are repeated without asking Redis.
    refusals: Arc<Refusals>,
    /// The units that were taken from Redis in advance.
    prefetch: Arc<Prefetch>,
    /// Stops calls to Redis while it fails. Made by the first check: a Worker has no random numbers before.
    breaker: OnceCell<RefCell<CircuitBreaker>>,
}

/// The way to Redis: through the circuit breaker, until a deadline.
pub(super) type GateTransport<'a> = Guarded<'a, Timed<'a, &'a FetchTransport>, Log>;

impl State {
    /// Makes the state. `variable` looks up a variable by name; `config` is the text of the configuration.
    ///
    /// # Errors
    /// Fails if a variable or the configuration is invalid.
    pub(super) fn new(
        variable: impl Fn(&str) -> Option<String>,
        config: &str,
        log: Function,
    ) -> Result<Self, ConfigError> {
        let config = Config::from_json(config)?;
        let server = RedisServer::read(variable)?;
        Ok(State {
            log: Log::new(log),
            authenticator: Authenticator::new(&config),
            fallback: RefCell::new(MemoryLimiter::new(Capacity::default())),
            transport: FetchTransport::new(&server),
            dialect: config.scripts.dialect(&server.url),
            refusals: Arc::new(Refusals::new(config.local_refusals, config.timeout)),
            prefetch: Arc::default(),
            breaker: OnceCell::new(),
            config,
        })
    }

    /// Returns a deadline that passes when the configured timeout has. It begins with the first call that waits for it.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::new(Timer::new(self.config.timeout))
    }

    /// Returns the limiter over Redis. All its calls together end at the deadline.
    pub(super) fn limiter<'a>(&'a self, deadline: &'a Deadline) -> Limiter<GateTransport<'a>> {
        let breaker = self.breaker.get_or_init(|| CircuitBreaker::new(self.config.timeout, random()).into());
        let transport = Guarded::new(Timed::new(&self.transport, Some(deadline)), breaker, &self.log);
        Limiter::new(transport, self.dialect)
            .with_refusals(Arc::clone(&self.refusals))
            .with_prefetch(Arc::clone(&self.prefetch))
    }

    /// Returns the time of a call, by the configured clock.
    pub(super) fn call_time(&self) -> Now {
        Now::from_clock(self.config.clock, now())
    }
}
