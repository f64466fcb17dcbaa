//! The API with its own Redis and bridge, for tests.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sluicegate::admin::{Admin, Call, Response};
use sluicegate::config::source::ConfigSource;
use sluicegate::config::{Config, Origin};
use sluicegate::gateway::EventRing;
use sluicegate::limiter::Limiter;
use sluicegate::limiter::breaker::BreakerState;
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Token};
use sluicegate::tenant::overview::Sightings;
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;

/// The API, and the Redis and bridge below it. Dropping the value stops both.
pub(crate) struct Service {
    /// The time of the API's clock, in milliseconds since 1970.
    pub(crate) now: AtomicU64,
    connection: redis::Connection,
    config: Config,
    limiter: Limiter<HttpTransport>,
    token: Token,
    keys: AtomicU64,
    /// Why the newest configuration is not in force.
    pub(crate) rejected_config: Option<&'static str>,
    /// The URL of each call.
    pub(crate) url: Option<reqwest::Url>,
    /// The circuit breaker of the isolate.
    pub(crate) breaker: Option<BreakerState>,
    /// The events of this isolate.
    pub(crate) events: RefCell<EventRing>,
    /// What this isolate has seen of its tenants.
    pub(crate) sightings: RefCell<Sightings>,
    _redis: RedisServer,
    _bridge: BridgeServer,
}

/// A response with a parsed body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body as JSON; null if it is empty.
    pub(crate) body: Value,
    /// The id of the tenant that the call changed.
    pub(crate) changed: Option<String>,
    /// The message for the log. Assertions print it with the reply.
    #[allow(dead_code, reason = "only printed")]
    pub(crate) failure: Option<String>,
}

impl Service {
    /// Starts the API with three plans: `free`, `pro` and `nested`.
    pub(crate) async fn start() -> Self {
        Self::with(&config()).await
    }

    /// Starts the API with this configuration.
    pub(crate) async fn with(config: &Value) -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, "rest-token", redis.url()).await.unwrap();
        let connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        let rest = Token::new("rest-token").unwrap();
        let transport = HttpTransport::new(bridge.url().parse().unwrap(), &rest, Millis::from_secs(30));
        Service {
            now: NOON.into(),
            connection,
            config: Config::from_json(&config.to_string()).unwrap(),
            limiter: Limiter::new(transport, Dialect::Plain),
            token: Token::new(TOKEN).unwrap(),
            keys: 0.into(),
            rejected_config: None,
            url: None,
            breaker: None,
            events: RefCell::new(EventRing::new(7)),
            sightings: RefCell::default(),
            _redis: redis,
            _bridge: bridge,
        }
    }

    /// Sends a request with the token and a JSON body; no body if it is null.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call_if_match(method, path, None, body).await
    }

    /// Sends a request as [`Service::call`] does, with the header `If-Match`.
    pub(crate) async fn call_if_match(&self, method: &str, path: &str, if_match: Option<&str>, body: Value) -> Reply {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let content_type = (!body.is_empty()).then_some("application/json");
        let authorization = format!("Bearer {TOKEN}");
        let authorization = Some(authorization.as_str());
        let call = Call { method, path, query, authorization, content_type, if_match, body: body.as_bytes() };
        Reply::from(self.send(&call).await)
    }

    /// Sends a call unchanged.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Response {
        let clock = || Millis::new(self.now.load(Ordering::SeqCst));
        let admin = Admin {
            config: &self.config,
            origin: &Origin::Zone,
            limiter: &self.limiter,
            token: &self.token,
            clock: &clock,
            token_keys: None,
            rejected_config: self.rejected_config,
            url: self.url.as_ref(),
            breaker: self.breaker,
            source: &ConfigSource::Variable,
            tokens: None,
            events: &self.events,
            sightings: &self.sightings,
        };
        let mut random = [0; 20];
        random[..8].copy_from_slice(&self.keys.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        admin.answer(call, random).await
    }

    /// Creates a tenant and returns its entity tag.
    pub(crate) async fn tenant(&self, id: &str, plan: &str) -> String {
        let reply = self.call("POST", "/tenants", json!({ "id": id, "plan": plan })).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.header("etag").to_owned()
    }

    /// Sends what is new of its tenants to the shortlist, as an isolate does some seconds after its requests. Returns
    /// whether anything was.
    pub(crate) async fn report(&self) -> bool {
        let now = Millis::new(self.now.load(Ordering::SeqCst));
        if !self.sightings.borrow_mut().begin_report(now) {
            return false;
        }
        let report = self.sightings.borrow_mut().take_report(now);
        let sent = report.send(&self.limiter, now).await;
        self.sightings.borrow_mut().end_report(&report, sent.ok(), now);
        true
    }

    /// Moves the clock of the API forward.
    pub(crate) fn advance(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// Runs a command directly on Redis and returns the reply.
    pub(crate) fn redis<T: redis::FromRedisValue>(&mut self, command: &[&str]) -> T {
        let mut built = redis::cmd(command[0]);
        for argument in &command[1..] {
            built.arg(*argument);
        }
        built.query(&mut self.connection).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }
}

impl Reply {
    /// Returns the value of a header, or an empty string if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Returns the last part of the problem's type.
    pub(crate) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default()
    }

    /// Returns the paths of the errors of an invalid request.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.body["errors"].as_array().into_iter().flatten().map(|error| error["path"].as_str().unwrap()).collect()
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        let body = if response.body.is_empty() { Value::Null } else { serde_json::from_str(&response.body).unwrap() };
        Reply {
            status: response.status,
            headers: response.headers,
            body,
            changed: response.changed.map(|id| id.to_string()),
            failure: response.failure,
        }
    }
}

pub(crate) fn config() -> Value {
    json!({
        "default_plan": "free",
        "identify": ["api_key", "address"],
        "timeout": "30s",
        "plans": {
            "free": { "limits": [
                { "name": "minute", "algorithm": "fixed_window", "limit": 10, "window": "minute" },
                { "name": "day", "algorithm": "fixed_window", "limit": 100, "window": "day" },
            ] },
            "pro": { "limits": [
                { "name": "burst", "algorithm": "token_bucket", "limit": 50, "window": "10s", "burst": 100 },
                { "name": "day", "algorithm": "sliding_log", "limit": 1000, "window": "1d" },
                { "name": "inflight", "algorithm": "concurrency", "limit": 2, "lease": "30s" },
            ] },
            "nested": { "limits": [
                { "name": "user", "algorithm": "fixed_window", "limit": 3, "window": "minute", "by": "header:x-user" },
                { "name": "tenant", "algorithm": "fixed_window", "limit": 5, "window": "minute" },
                { "name": "client", "algorithm": "sliding_log", "limit": 9, "window": "1m", "by": "address" },
                { "name": "all", "algorithm": "fixed_window", "limit": 8, "window": "minute", "by": "everyone" },
            ] },
        },
        "routes": [
            { "match": "POST /chat", "cost": "json:/max_tokens | 2", "cost_most": 9, "settle": "x-tokens" },
            { "match": "* /a/*", "require_key": true, "strip": "/a", "set": { "x-own": "{secret:ORIGIN_KEY} s3cret" } },
        ],
    })
}

/// The admin token of these tests.
pub(crate) const TOKEN: &str = "admin-t0ken";

/// 2026-11-23T12:00:00Z.
pub(crate) const NOON: u64 = 1_795_435_200_000;
