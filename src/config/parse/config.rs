//! The top level of the configuration, as written.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;

use super::by;
use super::cors::RawCors;
use super::duration::duration;
use super::jwt::RawJwt;
use super::plan::{RawPlan, find};
use super::route::{self, RawRoute};
use crate::config::config::{Config, KeySource, LogRefused, Scripts};
use crate::config::error::ConfigError;
use crate::config::identify::Identify;
use crate::config::jwt::JwtRules;
use crate::config::outage::OnOutage;
use crate::config::routes::{Requirement, Routes};
use crate::limiter::Clock;
use crate::time::Millis;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    #[serde(default = "default_identify")]
    identify: Vec<Identify>,
    jwt: Option<RawJwt>,
    #[serde(default = "default_key_sources")]
    api_key_from: Vec<KeySource>,
    default_plan: String,
    #[serde(default)]
    on_outage: OnOutage,
    #[serde(default = "default_timeout", deserialize_with = "duration")]
    timeout: Millis,
    #[serde(default = "default_local_refusals", deserialize_with = "duration")]
    local_refusals: Millis,
    #[serde(default)]
    clock: RawClock,
    #[serde(default)]
    scripts: Scripts,
    #[serde(default = "default_ipv6_prefix")]
    ipv6_prefix: u8,
    #[serde(default = "default_tenant_ttl", deserialize_with = "duration")]
    tenant_ttl: Millis,
    #[serde(default = "default_tenant_cache")]
    tenant_cache: usize,
    #[serde(default = "default_usage")]
    usage: bool,
    #[serde(default)]
    log_allowed_one_in: u64,
    #[serde(default)]
    log_refused: LogRefused,
    #[serde(default)]
    forward_key: bool,
    cors: Option<RawCors>,
    plans: BTreeMap<String, RawPlan>,
    #[serde(default)]
    routes: Vec<RawRoute>,
}

#[derive(Deserialize, Default)]
#[serde(rename = "clock", rename_all = "snake_case")]
enum RawClock {
    #[default]
    Edge,
    Redis,
}

impl RawConfig {
    /// Validates the fields and builds the configuration.
    pub(super) fn validate(self) -> Result<Config, ConfigError> {
        check_unique("identify", &self.identify)?;
        check_unique("api_key_from", &self.api_key_from)?;
        if !self.identify.contains(&Identify::Address) {
            let problem = "\"address\" is missing (without it every client would share one quota)";
            return Err(ConfigError::new("identify", problem));
        }
        if self.api_key_from.is_empty() {
            return Err(ConfigError::new("api_key_from", "is empty (leave it out to look everywhere)"));
        }
        if !(1..=128).contains(&self.ipv6_prefix) {
            let problem = format!("expected 1 to 128 bits, found {}", self.ipv6_prefix);
            return Err(ConfigError::new("ipv6_prefix", problem));
        }
        check_range("timeout", self.timeout, Millis::new(1)..=MAX_TIMEOUT)?;
        check_range("local_refusals", self.local_refusals, Millis::ZERO..=MAX_LOCAL_REFUSALS)?;
        check_range("tenant_ttl", self.tenant_ttl, Millis::new(1)..=MAX_TENANT_TTL)?;
        if !(1..=MAX_TENANT_CACHE).contains(&self.tenant_cache) {
            let problem = format!("expected 1 to {MAX_TENANT_CACHE} tenants, found {}", self.tenant_cache);
            return Err(ConfigError::new("tenant_cache", problem));
        }
        let plans = self
            .plans
            .into_iter()
            .map(|(name, plan)| Ok((name.clone(), plan.validate(&format!("plans.{name}"))?)))
            .collect::<Result<BTreeMap<_, _>, ConfigError>>()?;
        let default_plan = find(&plans, "default_plan", &self.default_plan)?.clone();
        let routes = route::validate(self.routes, &plans)?;
        let jwt = self.jwt.map(RawJwt::validate).transpose()?;
        check_jwt(jwt.as_ref(), &self.identify, &routes)?;
        by::check_everyone(&plans, &routes)?;
        let reads_keys = self.identify.contains(&Identify::ApiKey) || routes.all().any(|route| route.require_key);
        check_forward_key(self.forward_key, &routes, reads_keys)?;
        Ok(Config {
            forward_key: self.forward_key,
            identify: self.identify,
            jwt,
            api_key_from: self.api_key_from,
            ipv6_prefix: self.ipv6_prefix,
            on_outage: self.on_outage,
            timeout: self.timeout,
            local_refusals: self.local_refusals,
            clock: match self.clock {
                RawClock::Edge => Clock::Edge,
                RawClock::Redis => Clock::Redis,
            },
            scripts: self.scripts,
            tenant_ttl: self.tenant_ttl,
            tenant_cache: self.tenant_cache,
            usage: self.usage,
            log_allowed_one_in: self.log_allowed_one_in,
            log_refused: self.log_refused,
            cors: self.cors.map(|cors| cors.validate("cors")).transpose()?,
            plans,
            default_plan,
            default_plan_name: self.default_plan,
            routes,
            reads_keys,
        })
    }
}

fn check_unique<T: PartialEq>(path: &str, list: &[T]) -> Result<(), ConfigError> {
    match list.iter().enumerate().find(|(i, item)| list.iter().take(*i).any(|earlier| earlier == *item)) {
        Some((i, _)) => Err(ConfigError::new(format!("{path}[{i}]"), "is listed twice")),
        None => Ok(()),
    }
}

/// Fails if a key is to be forwarded, but none is ever read: then every header passes unchanged.
fn check_forward_key(everywhere: bool, routes: &Routes, reads_keys: bool) -> Result<(), ConfigError> {
    let on_route = routes.all().position(|route| route.onward.forward_key == Some(true));
    let path = match (everywhere, on_route) {
        _ if reads_keys => return Ok(()),
        (true, _) => "forward_key".to_owned(),
        (false, Some(i)) => format!("routes[{i}].forward_key"),
        (false, None) => return Ok(()),
    };
    let remedy = "add \"api_key\" to identify, or leave it out";
    Err(ConfigError::new(path, format!("has no effect, because no request needs its API key ({remedy})")))
}

/// The table `jwt` and what uses it need each other.
fn check_jwt(jwt: Option<&JwtRules>, identify: &[Identify], routes: &Routes) -> Result<(), ConfigError> {
    let carries_token =
        |way: &Identify| matches!((way, jwt), (Identify::Header(name), Some(jwt)) if *name == jwt.header);
    if let Some(i) = identify.iter().position(carries_token) {
        let problem = "is the header of the token, which must not become the name of a client (write \"jwt\")";
        return Err(ConfigError::new(format!("identify[{i}]"), problem));
    }
    let way = identify.iter().position(|way| *way == Identify::Jwt).map(|i| format!("identify[{i}]"));
    let route = routes.all().position(|route| route.require == Some(Requirement::Jwt));
    match (jwt.is_some(), way.or_else(|| route.map(|i| format!("routes[{i}].require")))) {
        (false, Some(user)) => {
            Err(ConfigError::new(user, "needs the table jwt, which is missing (it says which tokens are valid)"))
        }
        (true, None) => {
            Err(ConfigError::new("jwt", "is not used (add \"jwt\" to identify, or require = \"jwt\" to a route)"))
        }
        _ => Ok(()),
    }
}

fn check_range(path: &str, found: Millis, range: RangeInclusive<Millis>) -> Result<(), ConfigError> {
    if range.contains(&found) {
        return Ok(());
    }
    Err(ConfigError::new(path, format!("expected {} to {}, found {found}", range.start(), range.end())))
}

fn default_identify() -> Vec<Identify> {
    vec![Identify::Address]
}

fn default_key_sources() -> Vec<KeySource> {
    vec![KeySource::Authorization, KeySource::XApiKey]
}

fn default_timeout() -> Millis {
    Millis::new(250)
}

/// Short enough that nobody notices a unit given back elsewhere that late.
fn default_local_refusals() -> Millis {
    Millis::from_secs(1)
}

/// The smallest network that an IPv6 client gets. It can use any address within.
fn default_ipv6_prefix() -> u8 {
    64
}

fn default_tenant_ttl() -> Millis {
    Millis::from_secs(30)
}

/// About ten megabytes of documents of typical size.
fn default_tenant_cache() -> usize {
    10_000
}

fn default_usage() -> bool {
    true
}

/// A client that waits longer has disconnected.
const MAX_TIMEOUT: Millis = Millis::from_secs(30);

/// A unit given back elsewhere may be refused for this long.
const MAX_LOCAL_REFUSALS: Millis = Millis::from_secs(60);

/// A suspended tenant may still pass for this long.
const MAX_TENANT_TTL: Millis = Millis::from_secs(3600);

/// The most tenants that fit into the memory of an isolate.
const MAX_TENANT_CACHE: usize = 100_000;
