//! What a route tells about costs, as written.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::deserializer::unexpected;
use crate::config::costs::{Alternative, BodyFormat, Dialect, RequestReading, Settle, parse_size};
use crate::config::error::ConfigError;
use crate::limit::{Limit, LimitName, MAX_INTEGER};

/// The fields of a route that tell about costs.
pub(super) struct RawCosts {
    pub(super) cost: Option<RawCost>,
    pub(super) cost_most: Option<u64>,
    pub(super) read_body: Option<RawSize>,
    pub(super) include_usage: bool,
    pub(super) settle: Option<RawSettle>,
    pub(super) settle_dialect: Option<Dialect>,
}

/// The costs of a route.
pub(super) struct Costs {
    /// The cost of a request that tells none, in units.
    pub(super) cost: u64,
    pub(super) reading: Option<RequestReading>,
    pub(super) settle: Option<Arc<Settle>>,
}

/// A number, or where the request tells one.
pub(super) enum RawCost {
    Number(u64),
    Expression(String),
}

/// The text of a size. Another value is kept as its JSON, for the message.
pub(super) struct RawSize(String);

/// Where the response tells the cost: at all limits, or at each by its name.
pub(super) enum RawSettle {
    All(String),
    ByLimit(BTreeMap<String, String>),
}

impl RawCosts {
    /// Validates the fields. `limits` are the route's own.
    pub(super) fn validate(self, path: &str, limits: &[Limit]) -> Result<Costs, ConfigError> {
        let at = |field: &str| format!("{path}.{field}");
        let mut reading = RequestReading { include_usage: self.include_usage, ..RequestReading::NOTHING };
        let cost = match &self.cost {
            None => 1,
            Some(RawCost::Number(cost)) => *cost,
            Some(RawCost::Expression(text)) => {
                reading.add_sources(text).map_err(|problem| ConfigError::new(at("cost"), problem))?
            }
        };
        check_units(format_args!("{path}.cost"), cost, " (a request that costs nothing is exempt)")?;
        if let Some(most) = self.cost_most {
            check_units(format_args!("{path}.cost_most"), most, "")?;
            if reading.sources.is_empty() {
                let problem = "has no effect on a cost that is the same for every request";
                return Err(ConfigError::new(at("cost_most"), problem));
            }
            if most < cost {
                let problem = format!("expected at least {cost}, which `cost` ends with, found {most}");
                return Err(ConfigError::new(at("cost_most"), problem));
            }
            reading.most = most;
        }
        if let Some(RawSize(size)) = &self.read_body {
            reading.bytes = parse_size(size).map_err(|problem| ConfigError::new(at("read_body"), problem))?;
            if !reading.reads_body() {
                let problem =
                    "has no effect on a route that reads no body (cost = \"json:/… | 1\" and include_usage do)";
                return Err(ConfigError::new(at("read_body"), problem));
            }
        }
        let settle = self.settle(path, limits)?;
        if self.include_usage {
            check_include_usage(&at("include_usage"), settle.as_ref(), self.settle_dialect)?;
        }
        Ok(Costs { cost, reading: reading.reads().then_some(reading), settle: settle.map(Arc::new) })
    }

    fn settle(&self, path: &str, limits: &[Limit]) -> Result<Option<Settle>, ConfigError> {
        let mut settle = Settle::default();
        let mut add = |field: &str, limit: Option<LimitName>, text: &str| {
            let added = settle.add(limit, text, self.settle_dialect);
            added.map_err(|problem| ConfigError::new(format!("{path}.{field}"), problem))
        };
        match (&self.settle, self.settle_dialect) {
            (None, None) => return Ok(None),
            (None, Some(dialect)) => add("settle_dialect", None, dialect.all_tokens())?,
            (Some(RawSettle::All(text)), _) => add("settle", None, text)?,
            (Some(RawSettle::ByLimit(rules)), _) => {
                if rules.is_empty() {
                    return Err(ConfigError::new(format!("{path}.settle"), "is empty"));
                }
                for (name, text) in rules {
                    let field = format!("settle.{name}");
                    let limit = cost_limit(name, limits);
                    let limit = limit.map_err(|problem| ConfigError::new(format!("{path}.{field}"), problem))?;
                    add(&field, Some(limit), text)?;
                }
            }
        }
        Ok(Some(settle))
    }
}

/// Returns the name of the route's own limit that is settled by itself.
fn cost_limit(name: &str, limits: &[Limit]) -> Result<LimitName, String> {
    let Some(limit) = limits.iter().find(|limit| limit.name().as_str() == name) else {
        let names: Vec<&str> = limits.iter().map(|limit| limit.name().as_str()).collect();
        return Err(match names.as_slice() {
            [] => "the route has no limits of its own (a text settles all limits)".to_owned(),
            _ => format!("the route has no limit of this name (its own limits: {})", names.join(", ")),
        });
    };
    if limit.needs_lease() || limit.counts_requests() {
        return Err("this limit counts requests, whatever they cost".to_owned());
    }
    Ok(limit.name().clone())
}

fn check_include_usage(path: &str, settle: Option<&Settle>, dialect: Option<Dialect>) -> Result<(), ConfigError> {
    let is_stream = |alternative: &Alternative| matches!(alternative, Alternative::Body(BodyFormat::Events, _));
    let reads = settle.is_some_and(|settle| settle.rules().iter().any(|rule| rule.alternatives.iter().any(is_stream)));
    if !reads {
        let problem = "has no effect without a settle that reads streams (sse:/…, or a settle_dialect)";
        return Err(ConfigError::new(path, problem));
    }
    if dialect == Some(Dialect::Anthropic) {
        return Err(ConfigError::new(path, "is not a field of this API (its streams always tell their usage)"));
    }
    Ok(())
}

fn check_units(path: fmt::Arguments<'_>, units: u64, remedy: &str) -> Result<(), ConfigError> {
    if (1..=MAX_INTEGER).contains(&units) {
        return Ok(());
    }
    Err(ConfigError::new(path.to_string(), format!("expected 1 to {MAX_INTEGER}, found {units}{remedy}")))
}

impl<'de> Deserialize<'de> for RawCost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match (value.as_u64(), &value) {
            (Some(number), _) => Ok(RawCost::Number(number)),
            (None, Value::String(text)) => Ok(RawCost::Expression(text.clone())),
            _ => Err(D::Error::invalid_type(
                unexpected(&value),
                &"a whole number, or a text like \"json:/max_tokens | 1000\"",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for RawSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(RawSize(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }
}

impl<'de> Deserialize<'de> for RawSettle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wanted = "a text like \"json:/usage/total_tokens\", or a table of them by limit";
        let invalid = |value: &Value| D::Error::invalid_type(unexpected(value), &wanted);
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(RawSettle::All(text)),
            Value::Object(rules) => {
                let rule = |(name, rule): (String, Value)| match rule {
                    Value::String(text) => Ok((name, text)),
                    other => Err(invalid(&other)),
                };
                Ok(RawSettle::ByLimit(rules.into_iter().map(rule).collect::<Result<_, _>>()?))
            }
            other => Err(invalid(&other)),
        }
    }
}

#[cfg(test)]
mod tests;
