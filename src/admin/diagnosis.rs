//! `GET /diagnosis`: what is wrong with this deployment, as far as the Worker can see.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::admin::Admin;
use super::response::Response;
use crate::config::Origin;
use crate::jwt::KeyStatus;
use crate::limit::{By, InvalidCheck, Limit, LimitName, Plan, Subject};
use crate::limiter::{CheckError, Clock};
use crate::redis::script::Dialect;
use crate::redis::{self, Command, RedisError, Transport};
use crate::time::Millis;

/// A problem of the deployment, with its remedy.
#[derive(Debug)]
struct Finding {
    /// The check that found it.
    check: &'static str,
    what: String,
    remedy: &'static str,
}

/// The timing of a call to Redis.
#[derive(Debug, Clone, Copy)]
struct Timing {
    round_trip: Millis,
    /// How far Redis's clock is ahead of the edge's, in milliseconds, to within half a round trip.
    skew: i64,
}

/// What `INFO` says of the server.
#[derive(Debug, Default)]
struct Server {
    version: Option<String>,
    eviction_policy: Option<String>,
}

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn diagnosis(&self) -> Response {
        let timing = self.timing().await;
        let mut findings = Vec::new();
        findings.extend(self.rejected_config.map(rejected));
        let (mut server, mut scripts_work) = (Server::default(), false);
        match &timing {
            Err(error) => findings.push(unreachable(error)),
            Ok(timing) => {
                server = self.server().await;
                let scripts = self.try_script().await;
                scripts_work = scripts.is_ok();
                findings.extend(self.slow(*timing));
                findings.extend(self.skewed(*timing));
                findings.extend(server.evicts());
                if scripts_work {
                    findings.extend(self.try_everyone().await);
                }
                findings.extend(scripts.err().as_deref().map(scripts_fail));
            }
        }
        findings.extend(self.token_keys.and_then(stale_keys));
        let timing = timing.ok();
        let problems: Vec<_> = findings
            .iter()
            .map(|found| json!({ "check": found.check, "what": found.what, "remedy": found.remedy }))
            .collect();
        Response::json(
            200,
            &json!({
                "version": env!("CARGO_PKG_VERSION"),
                "redis": {
                    "reachable": timing.is_some(),
                    "round_trip_ms": timing.map(|timing| timing.round_trip.get()),
                    "clock_skew_ms": timing.map(|timing| timing.skew),
                    "version": server.version,
                    "eviction_policy": server.eviction_policy,
                    "scripts": match self.dialect() {
                        Dialect::Plain => "plain",
                        Dialect::KeyLocking => "key_locking",
                    },
                    "scripts_work": scripts_work,
                },
                "origins": self.origins(),
                "token_keys": self.token_keys.map(|keys| json!({
                    "usable": keys.keys,
                    "age_ms": keys.age.map(Millis::get),
                })),
                "problems": problems,
            }),
        )
    }

    /// Returns each origin once.
    fn origins(&self) -> BTreeSet<String> {
        let of_routes = self.config.origins().map(|(_, origin)| origin);
        std::iter::once(self.origin).chain(of_routes).map(Origin::to_string).collect()
    }

    async fn timing(&self) -> Result<Timing, RedisError> {
        // The first call may open a connection, so it is not measured.
        redis::run::<Value>(self.transport(), Command::new("PING")).await?;
        let sent = self.now();
        let [seconds, micros]: [Value; 2] = redis::run(self.transport(), Command::new("TIME")).await?;
        let received = self.now();
        let shape = || RedisError::Shape { reason: format!("not a time: {seconds}, {micros}") };
        // Redis replies with texts; some REST servers turn them into numbers.
        let number = |value: &Value| value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok());
        let redis = number(&seconds).zip(number(&micros)).ok_or_else(shape)?;
        let redis = redis.0.saturating_mul(1000).saturating_add(redis.1 / 1000);
        let round_trip = Millis::new(received.get().saturating_sub(sent.get()));
        let edge = i64::try_from(sent.get().saturating_add(round_trip.get() / 2)).unwrap_or(i64::MAX);
        Ok(Timing { round_trip, skew: redis.saturating_sub(edge) })
    }

    /// Reads `INFO`. Fields that the server does not reveal are `None`.
    async fn server(&self) -> Server {
        let info = redis::run::<String>(self.transport(), Command::new("INFO")).await.unwrap_or_default();
        let field = |name: &str| {
            let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(|value| value.trim().to_owned())
        };
        Server {
            version: field("redis_version").or_else(|| field("valkey_version")),
            eviction_policy: field("maxmemory_policy"),
        }
    }

    /// Runs `check.lua` without a charge, for a subject that does not exist: it writes nothing.
    async fn try_script(&self) -> Result<(), String> {
        let name = LimitName::new("diagnosis").map_err(|error| error.to_string())?;
        let limit = Limit::token_bucket(name, 1, Millis::from_secs(1), None).map_err(|error| error.to_string())?;
        let peeked = self.limiter.peek(&Subject::named("diagnosis:"), &[limit], self.check_time(self.now())).await;
        peeked.map(drop).map_err(|error| error.to_string())
    }

    /// Peeks at the caller's state and that of everyone in one call, if a limit needs both. A Redis Cluster refuses it.
    async fn try_everyone(&self) -> Option<Finding> {
        let of_plans = self.config.plans.values().flat_map(Plan::limits);
        let mut limits = of_plans.chain(self.config.routes.all().flat_map(|route| &route.limits));
        let everyone = limits.find(|limit| limit.by() == Some(&By::Everyone))?;
        let own = Limit::token_bucket(LimitName::new("_diagnosis").ok()?, 1, Millis::from_secs(1), None).ok()?;
        let subject = Subject::named("diagnosis:").with(&By::Everyone, b"");
        let limits = [own, everyone.clone()];
        match self.limiter.peek(&subject, &limits, self.check_time(self.now())).await {
            Err(CheckError::Invalid(InvalidCheck::Slots { limit })) => Some(Finding {
                check: "everyone",
                what: format!(
                    "the limit {limit} counts by everyone, and this Redis is a cluster: its requests get 500"
                ),
                remedy: "use a Redis that is not a cluster, or remove the limit",
            }),
            _ => None,
        }
    }

    fn slow(&self, timing: Timing) -> Option<Finding> {
        let timeout = self.config.timeout;
        (timing.round_trip.get() > timeout.get() / 2).then(|| Finding {
            check: "round trip",
            what: format!(
                "a round trip to Redis takes {}, more than half of the timeout of {timeout}",
                timing.round_trip
            ),
            remedy: "use a Redis nearer to the Worker, or a longer timeout",
        })
    }

    fn skewed(&self, timing: Timing) -> Option<Finding> {
        let beyond = timing.skew.unsigned_abs() > SKEW.get() + timing.round_trip.get();
        (beyond && self.config.clock == Clock::Edge).then(|| Finding {
            check: "clock",
            what: format!("the clocks of the edge and of Redis differ by {} ms", timing.skew.unsigned_abs()),
            remedy: "set clock = \"redis\", so that all checks use one clock",
        })
    }
}

impl Server {
    fn evicts(&self) -> Option<Finding> {
        let policy = self.eviction_policy.as_deref().filter(|policy| *policy != "noeviction")?;
        Some(Finding {
            check: "eviction",
            what: format!("Redis evicts keys when its memory is full ({policy}): limits and tenants can be lost"),
            remedy: "set maxmemory-policy to noeviction",
        })
    }
}

fn rejected(reason: &str) -> Finding {
    Finding {
        check: "configuration",
        what: format!("the newest configuration cannot be used, and the last one stays in force: {reason}"),
        remedy: "correct the file and run `sluicegate config push`, which validates it",
    }
}

fn unreachable(error: &RedisError) -> Finding {
    let remedy = match error {
        RedisError::Unauthorized { .. } => "set the secret UPSTASH_REDIS_REST_TOKEN to the token of this Redis",
        RedisError::Exhausted { .. } | RedisError::RateLimited => "raise the quota of the Redis database",
        _ => "check UPSTASH_REDIS_REST_URL, and whether the server is running",
    };
    Finding { check: "redis", what: error.to_string(), remedy }
}

fn scripts_fail(error: &str) -> Finding {
    Finding {
        check: "scripts",
        what: format!("a script does not run: {error}"),
        remedy: "set scripts to plain (Redis, Valkey) or key_locking (Upstash)",
    }
}

fn stale_keys(keys: &KeyStatus) -> Option<Finding> {
    keys.error.as_ref().map(|error| Finding {
        check: "token keys",
        what: format!("the keys that verify tokens cannot be fetched: {error}"),
        remedy: "check jwt.jwks in the configuration, and that its server answers with a key set",
    })
}

/// A smaller difference does not matter to windows of a second or more.
const SKEW: Millis = Millis::from_secs(1);
