//! The Worker's diagnosis of itself and of its Redis.

use reqwest::Url;
use serde::Deserialize;

use super::finding::Finding;
use super::origins;

/// The response of `GET /_sluicegate/v1/diagnosis`. The Worker knows its configuration, so its own problems win.
#[derive(Debug, Deserialize)]
pub(super) struct Diagnosis {
    version: String,
    redis: Redis,
    token_keys: Option<TokenKeys>,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    problems: Vec<Reported>,
}

#[derive(Debug, Deserialize)]
struct Redis {
    reachable: bool,
    round_trip_ms: Option<u64>,
    /// How far the clock of Redis is ahead of the edge's, in milliseconds.
    clock_skew_ms: Option<i64>,
    version: Option<String>,
    eviction_policy: Option<String>,
    scripts: Option<String>,
    scripts_work: Option<bool>,
}

/// The public keys that verify tokens.
#[derive(Debug, Deserialize)]
struct TokenKeys {
    usable: u64,
    age_ms: Option<u64>,
}

/// A problem that the Worker reports.
#[derive(Debug, Clone, Deserialize)]
struct Reported {
    /// The check that it belongs to.
    check: Option<String>,
    what: String,
    remedy: String,
}

impl Diagnosis {
    /// Returns what is found about the Worker that answers at `worker`.
    pub(super) fn findings(&self, worker: &Url) -> Vec<Finding> {
        let mut findings = vec![version(&self.version)];
        findings.extend(origins::check(&self.origins, worker));
        let redis = answers(self.redis.reachable, self.redis.version.as_deref());
        findings.push(self.or_reported("redis", redis, Finding::failure));
        if self.redis.reachable {
            findings.extend(
                self.redis.round_trip_ms.map(|ms| self.or_reported("round trip", round_trip(ms), Finding::warning)),
            );
            findings.extend(self.redis.clock_skew_ms.map(|ms| self.or_reported("clock", clock(ms), Finding::warning)));
            let scripts = scripts(self.redis.scripts.as_deref().unwrap_or("unknown"), self.redis.scripts_work);
            findings.push(self.or_reported("scripts", scripts, Finding::failure));
            findings.extend(
                self.reported("everyone")
                    .map(|found| Finding::failure("everyone", found.what.as_str(), found.remedy.as_str())),
            );
            let forgets_tenants =
                self.redis.eviction_policy.as_ref().is_some_and(|policy| policy.starts_with("allkeys"));
            let worse: fn(_, _, _) -> _ = if forgets_tenants { Finding::failure } else { Finding::warning };
            findings.push(self.or_reported("eviction", eviction(self.redis.eviction_policy.as_deref()), worse));
        }
        findings.extend(
            self.token_keys.as_ref().map(|keys| self.or_reported("token keys", token_keys(keys), Finding::failure)),
        );
        let other = self.problems.iter().filter(|reported| {
            !reported.check.as_ref().is_some_and(|check| findings.iter().any(|finding| finding.is_of(check)))
        });
        let other: Vec<_> =
            other.map(|other| Finding::warning("worker says", other.what.as_str(), other.remedy.as_str())).collect();
        findings.extend(other);
        findings
    }

    /// Returns the Worker's own report on a check if there is one, otherwise `found`.
    fn or_reported(
        &self,
        check: &'static str,
        found: Finding,
        worse: fn(&'static str, String, String) -> Finding,
    ) -> Finding {
        self.reported(check).map_or(found, |reported| worse(check, reported.what.clone(), reported.remedy.clone()))
    }

    fn reported(&self, check: &str) -> Option<&Reported> {
        self.problems.iter().find(|reported| reported.check.as_deref() == Some(check))
    }
}

fn version(version: &str) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    if version == own {
        return Finding::ok("version", version);
    }
    Finding::warning("version", format!("the Worker has {version}, this program {own}"), "use the same version of both")
}

fn answers(reachable: bool, version: Option<&str>) -> Finding {
    match (reachable, version) {
        (true, Some(version)) => Finding::ok("redis", format!("reachable, version {version}")),
        (true, None) => Finding::ok("redis", "reachable"),
        (false, _) => {
            let remedy = "check UPSTASH_REDIS_REST_URL and the secret UPSTASH_REDIS_REST_TOKEN";
            Finding::failure("redis", "unreachable", remedy)
        }
    }
}

fn round_trip(ms: u64) -> Finding {
    Finding::ok("round trip", format!("{ms}ms from the edge to Redis"))
}

fn clock(ms: i64) -> Finding {
    Finding::ok(
        "clock",
        match ms {
            0 => "the edge and Redis show the same time".to_owned(),
            1.. => format!("the edge is {ms}ms behind Redis"),
            _ => format!("the edge is {}ms ahead of Redis", ms.unsigned_abs()),
        },
    )
}

fn scripts(dialect: &str, work: Option<bool>) -> Finding {
    match work {
        Some(true) => Finding::ok("scripts", format!("run in the dialect {dialect}")),
        Some(false) => Finding::failure(
            "scripts",
            format!("do not run in the dialect {dialect}"),
            "set scripts = \"key_locking\" for Upstash and \"plain\" for any other Redis; the token must allow EVALSHA",
        ),
        None => {
            Finding::unknown("scripts", format!("dialect {dialect}"), "the Worker does not report whether they run")
        }
    }
}

fn token_keys(keys: &TokenKeys) -> Finding {
    let source = if keys.age_ms.is_some() { "fetched" } else { "from a variable" };
    Finding::ok("token keys", format!("{} usable, {source}", keys.usable))
}

/// Checks the eviction policy. States of limits expire; tenants and fencing counters must never be evicted.
fn eviction(policy: Option<&str>) -> Finding {
    let remedy = "set maxmemory-policy to noeviction, and give Redis enough memory";
    match policy {
        Some("noeviction") => Finding::ok("eviction", "off (noeviction)"),
        Some(policy) if policy.starts_with("allkeys") => {
            let found = format!("{policy}: when memory is full, Redis deletes tenants and the state of limits");
            Finding::failure("eviction", found, remedy)
        }
        Some(policy) => {
            let found = format!("{policy}: when memory is full, Redis deletes the state of limits");
            Finding::warning("eviction", found, remedy)
        }
        None => Finding::unknown(
            "eviction",
            "this Redis does not report it",
            "check the database's settings: eviction must be off",
        ),
    }
}
