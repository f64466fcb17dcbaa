//! The parsed configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cors::Cors;
use super::identify::Identify;
use super::jwt::JwtRules;
use super::outage::OnOutage;
use crate::config::routes::Routes;
use crate::limit::Plan;
use crate::limiter::Clock;
use crate::time::Millis;

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What identifies a client; the first that applies wins.
    pub identify: Vec<Identify>,
    /// Where to look for an API key; the first one found wins.
    pub api_key_from: Vec<KeySource>,
    /// The rules for JSON Web Tokens, if any request is identified by one.
    pub jwt: Option<JwtRules>,
    /// The number of leading bits of an IPv6 address that identify one client.
    pub ipv6_prefix: u8,
    /// What to do with requests while Redis is unavailable.
    pub on_outage: OnOutage,
    /// The longest time that a decision waits for Redis: all its calls together.
    pub timeout: Millis,
    /// The longest time that an isolate remembers a refusal; 0 remembers none.
    pub local_refusals: Millis,
    /// The clock by which limits are checked.
    pub clock: Clock,
    /// The dialect of the scripts that are sent to Redis.
    pub scripts: Scripts,
    /// How long a cached tenant document is used before it is read again.
    pub tenant_ttl: Millis,
    /// The number of tenants that an isolate caches.
    pub tenant_cache: usize,
    /// Whether the usage of tenants is metered.
    pub usage: bool,
    /// One in this many allowed requests is logged; 0 logs none.
    pub log_allowed_one_in: u64,
    /// How refusals are logged.
    pub log_refused: LogRefused,
    /// The rules for browsers with pages of other origins, if they are served.
    pub cors: Option<Cors>,
    /// The plans, by name.
    pub plans: BTreeMap<String, Plan>,
    /// The plan of subjects without a plan of their own.
    pub default_plan: Plan,
    /// The name of this plan.
    pub default_plan_name: String,
    /// The rules for some requests only.
    pub routes: Routes,
    /// Whether the origin gets the API key of a request. A route may differ.
    pub forward_key: bool,
    /// Whether any request needs its API key.
    pub(super) reads_keys: bool,
}

/// A header that may carry an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename = "key source", rename_all = "kebab-case")]
pub enum KeySource {
    /// `Authorization: Bearer KEY`.
    Authorization,
    /// `X-API-Key: KEY`.
    XApiKey,
}

impl KeySource {
    /// Returns the header's name in lower case.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            KeySource::Authorization => "authorization",
            KeySource::XApiKey => "x-api-key",
        }
    }

    /// Returns whether the header's value is an API key.
    #[must_use]
    pub fn is_key(self, value: &str) -> bool {
        self.key_text(value).is_some()
    }

    /// Extracts the key from the header's value. Returns `None` for anything else, such as a token for the origin.
    #[must_use]
    pub fn key_in(self, value: &str) -> Option<String> {
        self.key_text(value).map(str::to_owned)
    }

    fn key_text(self, value: &str) -> Option<&str> {
        let key = match self {
            KeySource::Authorization => {
                let (scheme, credentials) = value.split_once([' ', '\t'])?;
                scheme.eq_ignore_ascii_case("bearer").then_some(credentials)?
            }
            KeySource::XApiKey => value,
        };
        Some(key.trim()).filter(|key| key.starts_with(KEY_PREFIX))
    }
}

/// How to choose the [`Dialect`](crate::redis::script::Dialect) of the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename = "dialect", rename_all = "snake_case")]
pub enum Scripts {
    /// By host name: hosts of Upstash get the key-locking dialect.
    #[default]
    Auto,
    /// Plain scripts, for Redis and Valkey.
    Plain,
    /// With Upstash's flag line, so that scripts of different subjects run in parallel.
    KeyLocking,
}

/// How refusals are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename = "log mode", rename_all = "snake_case")]
pub enum LogRefused {
    /// The first refusal of a subject by a limit, and then every ten seconds the number of refusals.
    #[default]
    Summary,
    /// Each refusal.
    Each,
}

impl Config {
    /// Returns the headers that may carry an API key. Empty if no request needs its key.
    #[must_use]
    pub fn key_sources(&self) -> &[KeySource] {
        if self.reads_keys { &self.api_key_from } else { &[] }
    }

    /// Returns the names of the headers that identify clients.
    pub fn identity_headers(&self) -> impl Iterator<Item = &str> {
        self.identify.iter().filter_map(|way| match way {
            Identify::Header(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// The prefix of every API key.
pub const KEY_PREFIX: &str = "sgk_";
