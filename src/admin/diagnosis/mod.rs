//! `GET /diagnosis`: how this deployment is, as far as the Worker can see: each check with what it found, and what is wrong
//! with its remedy.
//!
//! - `checks`: what each measurement means; `origins`: whether an origin leads back to the Worker.
//! - `check`: [`Check`], the result of one. `measurement`: what is known of Redis.

mod check;
mod checks;
mod measurement;
mod origins;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::check::Check;
use self::measurement::{Server, Timing};
use super::admin::Admin;
use super::response::Response;
use crate::config::Origin;
use crate::limit::{By, InvalidCheck, Limit, LimitName, Plan, Subject};
use crate::limiter::CheckError;
use crate::redis::{self, Command, RedisError, Transport};
use crate::time::Millis;

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn diagnosis(&self) -> Response {
        let origins = self.origins();
        let mut checks: Vec<_> = self.breaker.map(checks::breaker).into_iter().collect();
        checks.extend(self.rejected_config.map(checks::configuration));
        checks.extend(origins::check(&origins, self.url));
        let timing = self.timing().await;
        let (mut server, mut scripts_work) = (Server::default(), false);
        match &timing {
            Err(error) => checks.push(checks::unreachable(error)),
            Ok(timing) => {
                server = self.server().await;
                let tried = self.try_script().await;
                scripts_work = tried.is_ok();
                checks.push(checks::reachable(&server));
                checks.push(checks::round_trip(*timing, self.config.timeout));
                checks.push(checks::clock(*timing, self.config.clock));
                checks.push(checks::scripts(self.dialect(), &tried));
                if scripts_work {
                    checks.extend(self.try_everyone().await);
                }
                checks.push(checks::eviction(server.eviction_policy.as_deref()));
            }
        }
        checks.extend(self.token_keys.map(checks::token_keys));
        let timing = timing.ok();
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
                    "scripts": checks::name(self.dialect()),
                    "scripts_work": scripts_work,
                },
                "origins": origins,
                "token_keys": self.token_keys.map(|keys| json!({
                    "usable": keys.keys,
                    "age_ms": keys.age.map(Millis::get),
                })),
                "checks": checks.iter().map(Check::json).collect::<Vec<_>>(),
                "problems": checks.iter().filter_map(Check::problem).collect::<Vec<_>>(),
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
        let round_trip = received.saturating_sub(sent);
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
    async fn try_everyone(&self) -> Option<Check> {
        let of_plans = self.config.plans.values().flat_map(Plan::limits);
        let mut limits = of_plans.chain(self.config.routes.all().flat_map(|route| &route.limits));
        let everyone = limits.find(|limit| limit.by() == Some(&By::Everyone))?;
        let own = Limit::token_bucket(LimitName::new("_diagnosis").ok()?, 1, Millis::from_secs(1), None).ok()?;
        let subject = Subject::named("diagnosis:").with(&By::Everyone, b"");
        let limits = [own, everyone.clone()];
        match self.limiter.peek(&subject, &limits, self.check_time(self.now())).await {
            Err(CheckError::Invalid(InvalidCheck::Slots { limit })) => Some(Check::failure(
                "everyone",
                format!("the limit {limit} counts by everyone, and this Redis is a cluster: its requests get 500"),
                "use a Redis that is not a cluster, or remove the limit",
            )),
            _ => None,
        }
    }
}
