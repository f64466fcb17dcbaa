//! Direct access to a stack's Redis: to write what other isolates would write, and to read what no response shows. It
//! has its own bridge, so it does not count as a request of the Worker.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sluicegate::admin::{Admin, Call};
use sluicegate::config::source::ConfigSource;
use sluicegate::config::{Config, Origin};
use sluicegate::gateway::EventRing;
use sluicegate::limit::{Limit, Plan, Subject, usage};
use sluicegate::limiter::{Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Token};
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::{BridgeServer, Stack};

/// Stops when dropped.
pub(crate) struct Inside {
    config: Config,
    pub(crate) limiter: Limiter<HttpTransport>,
    keys: AtomicU64,
    redis: redis::Client,
    _bridge: BridgeServer,
}

impl Inside {
    /// Opens access to a stack with this configuration.
    pub(crate) async fn of(stack: &Stack, config: &Value) -> Self {
        Self::at(&stack.redis, config).await
    }

    /// Opens access to a Redis that a Worker with this configuration uses.
    pub(crate) async fn at(redis: &RedisServer, config: &Value) -> Self {
        let bridge = BridgeServer::start(0, TOKEN, redis.url()).await.unwrap();
        let transport =
            HttpTransport::new(bridge.url().parse().unwrap(), &Token::new(TOKEN).unwrap(), Millis::from_secs(30));
        Inside {
            config: Config::from_json(&config.to_string()).unwrap(),
            limiter: Limiter::new(transport, Dialect::Plain),
            keys: 0.into(),
            redis: redis::Client::open(redis.url()).unwrap(),
            _bridge: bridge,
        }
    }

    /// Calls the admin API in another isolate; the Worker's isolate is not told.
    pub(crate) async fn elsewhere(&self, method: &str, path: &str, body: &Value) -> Value {
        let (token, authorization) = (Token::new(TOKEN).unwrap(), format!("Bearer {TOKEN}"));
        let admin = Admin {
            config: &self.config,
            origin: &Origin::Zone,
            limiter: &self.limiter,
            token: &token,
            clock: &now,
            token_keys: None,
            rejected_config: None,
            url: None,
            breaker: None,
            source: &ConfigSource::Variable,
            tokens: None,
            events: &RefCell::new(EventRing::new(0)),
            sightings: &RefCell::default(),
        };
        let body = body.to_string();
        let call = Call {
            method,
            path,
            authorization: Some(&authorization),
            content_type: Some("application/json"),
            body: body.as_bytes(),
            ..Call::default()
        };
        let mut random = [7; 20];
        random[..8].copy_from_slice(&self.keys.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        let answer = admin.answer(&call, random).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body).unwrap() }
    }

    /// Returns what remains of a limit for a client's address.
    pub(crate) async fn left(&self, address: &str, limit: &str) -> u64 {
        self.left_of(&Subject::address(address.parse().unwrap(), 64), limit).await
    }

    /// Returns what remains of a limit for a subject.
    pub(crate) async fn left_of(&self, subject: &Subject, limit: &str) -> u64 {
        let limits = [self.limit(limit)];
        let verdict = self.limiter.peek(subject, &limits, Now::At(now())).await.unwrap();
        verdict.budgets()[0].remaining
    }

    /// Charges a tenant some units at a given time.
    pub(crate) async fn use_at(&self, tenant: &str, units: u64, at: Millis) {
        let verdict = self.limiter.check(&Subject::named(tenant), &usage::meters(), units, Now::At(at)).await.unwrap();
        assert!(verdict.is_allow(), "{verdict:?}");
    }

    /// Runs a command on Redis.
    pub(crate) fn redis<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut built = redis::cmd(command[0]);
        for argument in &command[1..] {
            built.arg(*argument);
        }
        built.query(&mut self.redis.get_connection().unwrap()).unwrap()
    }

    fn limit(&self, name: &str) -> Limit {
        let plans = self.config.plans.values().flat_map(Plan::limits);
        let routes = self.config.routes.all().flat_map(|route| &route.limits);
        plans.chain(routes).find(|limit| limit.name().as_str() == name).unwrap().clone()
    }
}

/// The machine's clock, which workerd uses, too.
#[expect(clippy::disallowed_methods, reason = "a shell")]
pub(crate) fn now() -> Millis {
    Millis::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap())
}

const TOKEN: &str = "the-token-of-the-tests";
