//! What each measurement means, and what to do about it.

use super::check::Check;
use super::measurement::{Server, Timing};
use crate::jwt::KeyStatus;
use crate::limiter::Clock;
use crate::limiter::breaker::BreakerState;
use crate::redis::RedisError;
use crate::redis::script::Dialect;
use crate::time::Millis;

pub(super) fn configuration(rejected: &str) -> Check {
    Check::warning(
        "configuration",
        format!("the newest configuration cannot be used, and the last one stays in force: {rejected}"),
        "correct the file and run `sluicegate config push`, which validates it",
    )
}

pub(super) fn breaker(state: BreakerState) -> Check {
    match state {
        BreakerState::Closed => Check::ok("breaker", "closed"),
        BreakerState::Open(_) | BreakerState::Probing => Check::warning(
            "breaker",
            format!("{}: calls to Redis failed, and `on_outage` decides about requests", state.name()),
            "fix what `redis` names; the breaker closes by itself within seconds",
        ),
    }
}

pub(super) fn unreachable(error: &RedisError) -> Check {
    let remedy = match error {
        RedisError::Unauthorized { .. } => "set the secret UPSTASH_REDIS_REST_TOKEN to the token of this Redis",
        RedisError::Exhausted { .. } | RedisError::RateLimited => "raise the quota of the Redis database",
        _ => "check UPSTASH_REDIS_REST_URL and the secret UPSTASH_REDIS_REST_TOKEN, and whether the server is running",
    };
    Check::failure("redis", error.to_string(), remedy)
}

pub(super) fn reachable(server: &Server) -> Check {
    let version = server.version.as_deref().map(|version| format!(", version {version}"));
    Check::ok("redis", format!("reachable{}", version.unwrap_or_default()))
}

pub(super) fn round_trip(timing: Timing, timeout: Millis) -> Check {
    if timing.round_trip.get() <= timeout.get() / 2 {
        return Check::ok("round trip", format!("{} from the edge to Redis", timing.round_trip));
    }
    let found =
        format!("a round trip to Redis takes {}, more than half of the timeout of {timeout}", timing.round_trip);
    Check::warning("round trip", found, "use a Redis nearer to the Worker, or a longer timeout")
}

pub(super) fn clock(timing: Timing, clock: Clock) -> Check {
    let apart = timing.skew.unsigned_abs();
    if apart > SKEW.get() + timing.round_trip.get() && clock == Clock::Edge {
        let found = format!("the clocks of the edge and of Redis differ by {apart} ms");
        return Check::warning("clock", found, "set clock = \"redis\", so that all checks use one clock");
    }
    Check::ok(
        "clock",
        match timing.skew {
            0 => "the edge and Redis show the same time".to_owned(),
            1.. => format!("the edge is {apart}ms behind Redis"),
            _ => format!("the edge is {apart}ms ahead of Redis"),
        },
    )
}

/// `tried` is the result of running a script.
pub(super) fn scripts(dialect: Dialect, tried: &Result<(), String>) -> Check {
    match tried {
        Ok(()) => Check::ok("scripts", format!("run in the dialect {}", name(dialect))),
        Err(error) => Check::failure(
            "scripts",
            format!("a script does not run in the dialect {}: {error}", name(dialect)),
            "set scripts = \"key_locking\" for Upstash and \"plain\" for any other Redis; the token must allow EVALSHA",
        ),
    }
}

/// Checks the eviction policy. States of limits expire; tenants and fencing counters must never be evicted.
pub(super) fn eviction(policy: Option<&str>) -> Check {
    let remedy = "set maxmemory-policy to noeviction, and give Redis enough memory";
    match policy {
        Some("noeviction") => Check::ok("eviction", "off (noeviction)"),
        Some(policy) if policy.starts_with("allkeys") => {
            let found = format!("{policy}: when memory is full, Redis deletes tenants and the state of limits");
            Check::failure("eviction", found, remedy)
        }
        Some(policy) => {
            let found = format!("{policy}: when memory is full, Redis deletes the state of limits");
            Check::warning("eviction", found, remedy)
        }
        None => Check::unknown(
            "eviction",
            "this Redis does not report it",
            "check the database's settings: eviction must be off",
        ),
    }
}

pub(super) fn token_keys(keys: &KeyStatus) -> Check {
    if let Some(error) = &keys.error {
        return Check::failure(
            "token keys",
            format!("the keys that verify tokens cannot be fetched: {error}"),
            "check jwt.jwks in the configuration, and that its server answers with a key set",
        );
    }
    let source = if keys.age.is_some() { "fetched" } else { "from a variable" };
    Check::ok("token keys", format!("{} usable, {source}", keys.keys))
}

/// Returns the name of a dialect, as in the configuration.
pub(super) fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plain => "plain",
        Dialect::KeyLocking => "key_locking",
    }
}

/// A smaller difference does not matter to windows of a second or more.
const SKEW: Millis = Millis::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Expects a check of this level, with a remedy unless it is ok, and returns what it found.
    #[track_caller]
    fn found(check: &Check, level: &str) -> String {
        let json = check.json();
        assert_eq!(json["level"], level, "{json}");
        assert_eq!(json["remedy"].is_null(), level == "ok", "{json}");
        assert_eq!(check.problem().is_some(), matches!(level, "warning" | "failure"), "{json}");
        json["found"].as_str().unwrap().to_owned()
    }

    fn timing(round_trip: u64, skew: i64) -> Timing {
        Timing { round_trip: Millis::new(round_trip), skew }
    }

    #[test]
    fn a_round_trip_of_half_the_timeout_is_a_warning() {
        let check = |ms| round_trip(timing(ms, 0), Millis::new(250));
        assert_eq!(found(&check(125), "ok"), "125ms from the edge to Redis");
        assert!(found(&check(126), "warning").contains("126ms, more than half of the timeout of 250ms"));
    }

    #[test]
    fn clocks_may_differ_by_a_second_and_a_round_trip() {
        let check = |skew| clock(timing(20, skew), Clock::Edge);
        assert_eq!(found(&check(0), "ok"), "the edge and Redis show the same time");
        assert_eq!(found(&check(1020), "ok"), "the edge is 1020ms behind Redis");
        assert_eq!(found(&check(-3), "ok"), "the edge is 3ms ahead of Redis");
        assert_eq!(found(&check(-1021), "warning"), "the clocks of the edge and of Redis differ by 1021 ms");
        assert_eq!(found(&clock(timing(20, 90_000), Clock::Redis), "ok"), "the edge is 90000ms behind Redis");
    }

    #[test]
    fn eviction_of_all_keys_is_worse_than_of_those_that_expire() {
        found(&eviction(Some("noeviction")), "ok");
        assert!(found(&eviction(Some("volatile-lru")), "warning").contains("the state of limits"));
        assert!(found(&eviction(Some("allkeys-lru")), "failure").contains("tenants"));
        found(&eviction(None), "unknown");
    }

    #[test]
    fn a_breaker_that_is_not_closed_is_a_warning() {
        found(&breaker(BreakerState::Closed), "ok");
        assert!(found(&breaker(BreakerState::Open(Millis::from_secs(1))), "warning").starts_with("open: "));
        assert!(found(&breaker(BreakerState::Probing), "warning").starts_with("probing: "));
    }

    #[test]
    fn keys_for_tokens_say_where_they_come_from() {
        let keys = |age: Option<u64>, error: Option<&str>| KeyStatus {
            keys: 3,
            age: age.map(Millis::new),
            error: error.map(str::to_owned),
        };
        assert_eq!(found(&token_keys(&keys(Some(7), None)), "ok"), "3 usable, fetched");
        assert_eq!(found(&token_keys(&keys(None, None)), "ok"), "3 usable, from a variable");
        assert!(found(&token_keys(&keys(Some(7), Some("status 500"))), "failure").ends_with("fetched: status 500"));
    }

    #[test]
    fn a_redis_that_fails_has_a_remedy_for_its_cause() {
        let remedy = |error: &RedisError| unreachable(error).json()["remedy"].clone();
        assert_eq!(remedy(&RedisError::RateLimited), json!("raise the quota of the Redis database"));
        found(&unreachable(&RedisError::RateLimited), "failure");
        found(&scripts(Dialect::Plain, &Err("NOPERM".to_owned())), "failure");
        assert_eq!(found(&scripts(Dialect::KeyLocking, &Ok(())), "ok"), "run in the dialect key_locking");
        found(&configuration("timeout: expected 1ms to 30s"), "warning");
    }
}
