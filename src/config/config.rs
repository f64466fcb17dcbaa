//! TODO.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::outage::OnOutage;
use crate::config::routes::Routes;
use crate::limit::Plan;
use crate::limiter::Clock;
use crate::time::Millis;

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What identifies a client, the first that applies.
    pub identify: Vec<Identify>,
    /// Where an API key may stand, the first that is there.
    pub api_key_from: Vec<KeySource>,
    /// How many leading bits of an IPv6 address make one client.
    pub ipv6_prefix: u8,
    /// What a failure of Redis means.
    pub on_outage: OnOutage,
    /// The longest time that one round trip to Redis may take.
    pub timeout: Millis,
    /// Whose clock judges.
    pub clock: Clock,
    /// Which spelling of the scripts Redis gets.
    pub scripts: Scripts,
    /// How long a tenant's document is used before it is read again.
    pub tenant_ttl: Millis,
    /// How many tenants an isolate remembers.
    pub tenant_cache: usize,
    /// Whether the usage of tenants is counted.
    pub usage: bool,
    /// One log line for every so many requests that pass; 0: none.
    pub log_allowed_one_in: u64,
    /// The plans by name.
    pub plans: BTreeMap<String, Plan>,
    /// The plan of a subject that has no other.
    pub default_plan: Plan,
    /// What holds for some requests only.
    pub routes: Routes,
    /// Whether an API key matters to any request.
    pub(super) reads_keys: bool,
}

/// A way to tell who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename = "identity", rename_all = "snake_case")]
pub enum Identify {
    /// By API key: the tenant whose it is.
    ApiKey,
    /// By the client's address.
    Address,
}

/// A place in a request where an API key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename = "key source", rename_all = "kebab-case")]
pub enum KeySource {
    /// `Authorization: Bearer KEY`.
    Authorization,
    /// `X-API-Key: KEY`.
    XApiKey,
}

impl KeySource {
    /// The name of the header.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            KeySource::Authorization => "authorization",
            KeySource::XApiKey => "x-api-key",
        }
    }

    /// The key in the header's value. What is no key of ours, such as a token for the origin, is none.
    #[must_use]
    pub fn key_in(self, value: &str) -> Option<String> {
        let key = match self {
            KeySource::Authorization => {
                let (scheme, credentials) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then_some(credentials)?
            }
            KeySource::XApiKey => value,
        };
        Some(key.trim()).filter(|key| key.starts_with(KEY_PREFIX)).map(str::to_owned)
    }
}

/// Which spelling of the scripts Redis gets: see [`crate::redis::script::Dialect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename = "dialect", rename_all = "snake_case")]
pub enum Scripts {
    /// By the host's name: Upstash's own hosts get the key-locking one.
    #[default]
    Auto,
    /// As the files are, for Redis and Valkey.
    Plain,
    /// With Upstash's flag line, so that scripts of different subjects run side by side.
    KeyLocking,
}

impl Config {
    /// Where an API key may stand: nowhere, if none matters to any request.
    #[must_use]
    pub fn key_sources(&self) -> &[KeySource] {
        if self.reads_keys { &self.api_key_from } else { &[] }
    }
}

/// How every API key begins.
pub const KEY_PREFIX: &str = "sgk_";
