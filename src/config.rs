//! The operator's configuration: JSON to [`Config`], or what is wrong and where.
//!
//! This is the only place that deserializes what an operator wrote. Unknown fields are errors, and
//! every message starts with the path of its field.

mod limit;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Unexpected, Visitor};

use crate::policy::{Clock, OnOutage, Plan, PolicyError};
use crate::time::Millis;
use limit::RawLimit;

/// A valid configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What identifies a client, the first that applies.
    pub identify: Vec<Identify>,
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
    /// The plans by name.
    pub plans: BTreeMap<String, Plan>,
    /// The plan of a subject that has no other.
    pub default_plan: Plan,
}

/// A way to tell who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identify {
    /// By API key. Tenants do not exist yet, so no key is known and this never applies.
    ApiKey,
    /// By the client's address.
    Address,
}

/// Which spelling of the scripts Redis gets: see [`crate::script::Spelling`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scripts {
    /// By the host's name: Upstash's own hosts get the key-locking one.
    #[default]
    Auto,
    /// As the files are, for Redis and Valkey.
    Plain,
    /// With Upstash's flag line, so that scripts of different subjects run side by side.
    KeyLocking,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// The path of the field, for example `plans.pro.limits[1].window`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Config {
    /// Reads a configuration from the text of a JSON object.
    ///
    /// # Errors
    /// When the text is not JSON, a field is unknown or missing, or a value is impossible.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| ConfigError::new(ROOT, format!("is not JSON: {error}")))?;
        let Object(raw): Object<RawConfig> = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { ROOT.to_owned() } else { path };
            ConfigError::new(path, error.into_inner().to_string())
        })?;
        raw.validate()
    }
}

impl ConfigError {
    fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        ConfigError { path: path.into(), problem: problem.into() }
    }
}

/// A `T` that is written as an object. Serde alone would take an array for a struct, too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Object)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    #[serde(default = "by_address")]
    identify: Vec<Identify>,
    default_plan: String,
    #[serde(default)]
    on_outage: RawOnOutage,
    #[serde(default = "default_timeout", deserialize_with = "duration")]
    timeout: Millis,
    #[serde(default)]
    clock: RawClock,
    #[serde(default)]
    scripts: Scripts,
    #[serde(default = "one_subnet")]
    ipv6_prefix: u8,
    plans: BTreeMap<String, Object<RawPlan>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum RawOnOutage {
    #[default]
    Open,
    Closed,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum RawClock {
    #[default]
    Edge,
    Redis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    limits: Vec<Object<RawLimit>>,
}

impl RawConfig {
    fn validate(self) -> Result<Config, ConfigError> {
        self.check_identify()?;
        if !(1..=128).contains(&self.ipv6_prefix) {
            let problem = format!("expected 1 to 128 bits, found {}", self.ipv6_prefix);
            return Err(ConfigError::new("ipv6_prefix", problem));
        }
        if !(Millis::new(1)..=MAX_TIMEOUT).contains(&self.timeout) {
            let problem = format!("expected 1ms to {MAX_TIMEOUT}, found {}", self.timeout);
            return Err(ConfigError::new("timeout", problem));
        }
        let plans = self
            .plans
            .into_iter()
            .map(|(name, Object(plan))| Ok((name.clone(), plan.validate(&format!("plans.{name}"))?)))
            .collect::<Result<BTreeMap<_, _>, ConfigError>>()?;
        let Some(default_plan) = plans.get(&self.default_plan).cloned() else {
            let known: Vec<_> = plans.keys().map(String::as_str).collect();
            let problem = format!("no plan is named {:?} (plans: {})", self.default_plan, known.join(", "));
            return Err(ConfigError::new("default_plan", problem));
        };
        Ok(Config {
            identify: self.identify,
            ipv6_prefix: self.ipv6_prefix,
            on_outage: match self.on_outage {
                RawOnOutage::Open => OnOutage::Open,
                RawOnOutage::Closed => OnOutage::Closed,
            },
            timeout: self.timeout,
            clock: match self.clock {
                RawClock::Edge => Clock::Edge,
                RawClock::Redis => Clock::Redis,
            },
            scripts: self.scripts,
            plans,
            default_plan,
        })
    }

    fn check_identify(&self) -> Result<(), ConfigError> {
        for (i, way) in self.identify.iter().enumerate() {
            if self.identify.iter().take(i).any(|earlier| earlier == way) {
                return Err(ConfigError::new(format!("identify[{i}]"), "is listed twice"));
            }
        }
        if !self.identify.contains(&Identify::Address) {
            let problem = "\"address\" is missing (without it every client would share one quota)";
            return Err(ConfigError::new("identify", problem));
        }
        Ok(())
    }
}

impl RawPlan {
    fn validate(self, path: &str) -> Result<Plan, ConfigError> {
        let limits = self
            .limits
            .into_iter()
            .enumerate()
            .map(|(i, Object(limit))| limit.validate().map_err(|error| error.below(&format!("{path}.limits[{i}]"))))
            .collect::<Result<_, ConfigError>>()?;
        Plan::new(limits).map_err(|error| error.below(path))
    }
}

impl PolicyError {
    fn below(self, path: &str) -> ConfigError {
        ConfigError::new(format!("{path}.{}", self.field), self.problem)
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    text(deserializer)?.parse().map_err(D::Error::custom)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        other => Err(D::Error::invalid_type(unexpected(&other), &"a duration like \"10s\"")),
    }
}

fn unexpected(value: &serde_json::Value) -> Unexpected<'_> {
    match value {
        serde_json::Value::Number(number) => number
            .as_u64()
            .map(Unexpected::Unsigned)
            .or_else(|| number.as_f64().map(Unexpected::Float))
            .unwrap_or(Unexpected::Other("number")),
        serde_json::Value::Bool(bool) => Unexpected::Bool(*bool),
        serde_json::Value::Array(_) => Unexpected::Seq,
        serde_json::Value::Object(_) => Unexpected::Map,
        serde_json::Value::String(text) => Unexpected::Str(text),
        serde_json::Value::Null => Unexpected::Unit,
    }
}

fn by_address() -> Vec<Identify> {
    vec![Identify::Address]
}

fn default_timeout() -> Millis {
    Millis::new(250)
}

/// The smallest network that an IPv6 client is given: within it, addresses are free for the taking.
fn one_subnet() -> u8 {
    64
}

/// The path of the configuration as a whole.
const ROOT: &str = "SLUICEGATE";

/// A client that waits longer has gone.
const MAX_TIMEOUT: Millis = Millis::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn valid() -> Value {
        json!({
            "default_plan": "anonymous",
            "plans": { "anonymous": { "limits": [
                { "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" },
                { "name": "day", "algorithm": "sliding_log", "limit": 1000, "window": "1d" },
            ] } },
        })
    }

    /// Sets `pointer` to `value` in a valid configuration and expects this message.
    fn check(pointer: &str, value: Value, message: &str) {
        let mut config = valid();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match config.pointer_mut(parent).unwrap() {
            Value::Array(array) => array[field.parse::<usize>().unwrap()] = value,
            Value::Object(object) => drop(object.insert(field.to_owned(), value)),
            _ => unreachable!(),
        }
        let error = Config::from_json(&config.to_string()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let config = Config::from_json(&valid().to_string()).unwrap();
        assert_eq!(config.identify, [Identify::Address]);
        assert_eq!((config.on_outage, config.clock), (OnOutage::Open, Clock::Edge));
        assert_eq!((config.timeout, config.ipv6_prefix), (Millis::new(250), 64));
        assert_eq!(config.scripts, Scripts::Auto);
        let names: Vec<_> = config.default_plan.limits().iter().map(|l| l.name().as_str()).collect();
        assert_eq!(names, ["burst", "day"]);
    }

    #[test]
    fn every_choice_is_read() {
        let mut config = valid();
        for (field, value) in [
            ("identify", json!(["api_key", "address"])),
            ("on_outage", json!("closed")),
            ("clock", json!("redis")),
            ("scripts", json!("key_locking")),
            ("timeout", json!("2s")),
            ("ipv6_prefix", json!(56)),
        ] {
            config[field] = value;
        }
        let config = Config::from_json(&config.to_string()).unwrap();
        assert_eq!(config.identify, [Identify::ApiKey, Identify::Address]);
        assert_eq!((config.on_outage, config.clock), (OnOutage::Closed, Clock::Redis));
        assert_eq!((config.timeout, config.ipv6_prefix), (Millis::from_secs(2), 56));
        assert_eq!(config.scripts, Scripts::KeyLocking);
    }

    #[test]
    fn messages_name_the_path() {
        let limit = "/plans/anonymous/limits/1";
        check(
            &format!("{limit}/window"),
            json!("ten"),
            "plans.anonymous.limits[1].window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"ten\"",
        );
        check(
            &format!("{limit}/window"),
            json!(10),
            "plans.anonymous.limits[1].window: invalid type: integer `10`, expected a duration like \"10s\"",
        );
        check(
            &format!("{limit}/limit"),
            json!(0),
            "plans.anonymous.limits[1].limit: expected 1 to 9007199254740991, found 0",
        );
        check(
            &format!("{limit}/limit"),
            json!(-1),
            "plans.anonymous.limits[1].limit: invalid value: integer `-1`, expected u64",
        );
        check(
            &format!("{limit}/limit"),
            json!(1.5),
            "plans.anonymous.limits[1].limit: invalid type: floating point `1.5`, expected u64",
        );
        check(
            &format!("{limit}/burst"),
            json!(5),
            "plans.anonymous.limits[1].burst: a sliding_log has none (a token_bucket has)",
        );
        check(
            &format!("{limit}/name"),
            json!("a b"),
            "plans.anonymous.limits[1].name: expected 1 to 64 of A-Z a-z 0-9 _ - . , found \"a b\"",
        );
        check(&format!("{limit}/name"), json!("burst"), "plans.anonymous.limits: two limits are named \"burst\"");
        check("/plans/anonymous", json!([[]]), "plans.anonymous: invalid type: sequence, expected an object");
        check("/plans/anonymous/limits", json!([]), "plans.anonymous.limits: expected 1 to 16 limits, found 0");
        check("/default_plan", json!("pro"), "default_plan: no plan is named \"pro\" (plans: anonymous)");
        check("/timeout", json!("0s"), "timeout: expected 1ms to 30s, found 0ms");
        check("/ipv6_prefix", json!(0), "ipv6_prefix: expected 1 to 128 bits, found 0");
        check("/identify", json!(["address", "address"]), "identify[1]: is listed twice");
        check(
            "/identify",
            json!(["api_key"]),
            "identify: \"address\" is missing (without it every client would share one quota)",
        );
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        let known = "`identify`, `default_plan`, `on_outage`, `timeout`, `clock`, `scripts`, `ipv6_prefix`, `plans`";
        check("/routes", json!([]), &format!("routes: unknown field `routes`, expected one of {known}"));
        check("/on_outage", json!("local"), "on_outage: unknown variant `local`, expected `open` or `closed`");
        check("/identify", json!(["cookie"]), "identify[0]: unknown variant `cookie`, expected `api_key` or `address`");
        check(
            "/plans/anonymous/limits/0/algorithm",
            json!("leaky_bucket"),
            "plans.anonymous.limits[0].algorithm: unknown variant `leaky_bucket`, expected one of `sliding_log`, \
             `sliding_window`, `fixed_window`, `token_bucket`, `concurrency`",
        );
        check(
            "/plans/anonymous/limits/0/period",
            json!("30s"),
            "plans.anonymous.limits[0].period: unknown field `period`, expected one of `name`, `algorithm`, `limit`, \
             `window`, `burst`, `lease`",
        );
    }

    #[test]
    fn what_is_no_configuration_at_all_is_refused() {
        let message = |text| Config::from_json(text).unwrap_err().to_string();
        assert!(message("{").starts_with("SLUICEGATE: is not JSON: "));
        assert_eq!(message("{}"), "SLUICEGATE: missing field `default_plan`");
        assert_eq!(message("[]"), "SLUICEGATE: invalid type: sequence, expected an object");
    }
}
