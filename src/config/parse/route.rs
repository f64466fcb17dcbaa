//! Routes, as written.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Deserialize;

use super::by;
use super::costs::{RawCost, RawCosts, RawSettle, RawSize};
use super::limit::RawLimit;
use super::networks::networks;
use super::onward::RawOnward;
use super::plan::find;
use crate::config::costs::Dialect;
use crate::config::error::ConfigError;
use crate::config::outage::OnOutage;
use crate::config::routes::{Pattern, Requirement, Route, Routes, Statuses};
use crate::limit::{Algorithm, Limit, MAX_LIMITS, Plan};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of the configuration")]
pub(super) struct RawRoute {
    #[serde(rename = "match")]
    pattern: String,
    cost: Option<RawCost>,
    cost_most: Option<u64>,
    read_body: Option<RawSize>,
    #[serde(default)]
    include_usage: bool,
    #[serde(default)]
    limits: Vec<RawLimit>,
    plan: Option<String>,
    #[serde(default)]
    exempt: bool,
    #[serde(default)]
    require_key: bool,
    require: Option<Requirement>,
    on_outage: Option<OnOutage>,
    #[serde(default)]
    shadow: bool,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
    settle: Option<RawSettle>,
    settle_dialect: Option<Dialect>,
    #[serde(default)]
    refund_on: Vec<String>,
    #[serde(default)]
    count_on: Vec<String>,
    origin: Option<String>,
    strip: Option<String>,
    forward_key: Option<bool>,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    remove: Vec<String>,
}

/// Validates the routes and builds the table.
pub(super) fn validate(routes: Vec<RawRoute>, plans: &BTreeMap<String, Plan>) -> Result<Routes, ConfigError> {
    let mut table: Vec<Route> = Vec::new();
    let mut shared = HashMap::new();
    for (i, route) in routes.into_iter().enumerate() {
        let path = format!("routes[{i}]");
        let route = route.validate(&path, plans)?;
        check_shared_limits(&path, i, &route, &mut shared)?;
        check_shared_logs(&path, &route, plans)?;
        table.push(route);
    }
    let patterns: Vec<String> = table.iter().map(|route| route.pattern.to_string()).collect();
    Routes::new(table).map_err(|unreachable| {
        let first = patterns.get(unreachable.earlier).map_or("", String::as_str);
        let problem = format!("is never reached (routes[{}], {first:?}, comes first)", unreachable.earlier);
        ConfigError::new(format!("routes[{}].match", unreachable.later), problem)
    })
}

impl RawRoute {
    fn validate(self, path: &str, plans: &BTreeMap<String, Plan>) -> Result<Route, ConfigError> {
        let at = |field: &str| format!("{path}.{field}");
        let pattern = Pattern::new(&self.pattern).map_err(|problem| ConfigError::new(at("match"), problem))?;
        self.check_fields(path)?;
        let onward = RawOnward {
            origin: self.origin,
            strip: self.strip,
            forward_key: self.forward_key,
            set: self.set,
            remove: self.remove,
        };
        let onward = onward.validate(path, &pattern)?;
        let mut limits = Vec::new();
        for (i, limit) in self.limits.into_iter().enumerate() {
            limits.push(limit.validate().map_err(|error| error.below(&at(&format!("limits[{i}]"))))?);
        }
        by::check_route(path, &pattern, &limits)?;
        let costs = RawCosts {
            cost: self.cost,
            cost_most: self.cost_most,
            read_body: self.read_body,
            include_usage: self.include_usage,
            settle: self.settle,
            settle_dialect: self.settle_dialect,
        };
        let costs = costs.validate(path, &limits)?;
        if let Some(plan) = &self.plan {
            find(plans, &at("plan"), plan)?;
        }
        let route = Route {
            pattern,
            cost: costs.cost,
            reading: costs.reading,
            settle: costs.settle,
            limits,
            exempt: self.exempt,
            require_key: self.require_key,
            require: self.require,
            on_outage: self.on_outage,
            shadow: self.shadow,
            allow: networks(format_args!("{path}.allow"), &self.allow)?,
            deny: networks(format_args!("{path}.deny"), &self.deny)?,
            refund_on: statuses(format_args!("{path}.refund_on"), &self.refund_on)?,
            count_on: statuses(format_args!("{path}.count_on"), &self.count_on)?,
            plan: self.plan,
            onward,
        };
        check_limits(path, &route, plans)?;
        Ok(route)
    }

    /// Fails if two fields contradict each other.
    fn check_fields(&self, path: &str) -> Result<(), ConfigError> {
        for (field, given) in [
            ("cost", self.cost.is_some()),
            ("limits", !self.limits.is_empty()),
            ("plan", self.plan.is_some()),
            ("on_outage", self.on_outage.is_some()),
            ("shadow", self.shadow),
            ("allow", !self.allow.is_empty()),
            ("cost_most", self.cost_most.is_some()),
            ("read_body", self.read_body.is_some()),
            ("include_usage", self.include_usage),
            ("settle", self.settle.is_some()),
            ("settle_dialect", self.settle_dialect.is_some()),
            ("refund_on", !self.refund_on.is_empty()),
            ("count_on", !self.count_on.is_empty()),
        ] {
            if self.exempt && given {
                return Err(ConfigError::new(format!("{path}.{field}"), "has no effect on a route that is exempt"));
            }
        }
        if self.require_key && self.require.is_some() {
            let problem = "cannot be combined with require_key (a request is identified by one of them)";
            return Err(ConfigError::new(format!("{path}.require"), problem));
        }
        if !self.refund_on.is_empty() && !self.count_on.is_empty() {
            let problem =
                "cannot be combined with refund_on (one lists the statuses that count, the other those that do not)";
            return Err(ConfigError::new(format!("{path}.count_on"), problem));
        }
        Ok(())
    }
}

/// Checks that the route's limits can be combined with those of every plan that may apply, and that all of them can
/// hold the route's cost.
fn check_limits(path: &str, route: &Route, plans: &BTreeMap<String, Plan>) -> Result<(), ConfigError> {
    if route.exempt {
        return Ok(());
    }
    for (i, limit) in route.limits.iter().enumerate() {
        if route.limits.iter().take(i).any(|other| other.name() == limit.name()) {
            let problem = format!("two limits are named {:?}", limit.name().as_str());
            return Err(ConfigError::new(format!("{path}.limits"), problem));
        }
    }
    let too_expensive = |limit: &Limit| limit.capacity() < limit.charge_for(route.cost);
    let error = |limit: &Limit, owner: &str| {
        let capacity = limit.capacity();
        let problem = format!("expected at most {capacity}, the capacity of {owner}, found {}", route.cost);
        ConfigError::new(format!("{path}.cost"), problem)
    };
    if let Some(limit) = route.limits.iter().find(|limit| too_expensive(limit)) {
        return Err(error(limit, &format!("the limit {:?}", limit.name().as_str())));
    }
    for (name, plan) in plans.iter().filter(|(name, _)| route.plan.as_ref().is_none_or(|plan| plan == *name)) {
        let limits = plan.limits();
        if route.limits.is_empty()
            && let Some(limit) = limits.iter().find(|limit| too_expensive(limit))
        {
            return Err(error(limit, &format!("the limit {:?} of the plan {name:?}", limit.name().as_str())));
        }
        if let Some(i) = route.limits.iter().position(|own| limits.iter().any(|other| other.name() == own.name())) {
            let problem = format!("the plan {name:?} has a limit of this name, too");
            return Err(ConfigError::new(format!("{path}.limits[{i}].name"), problem));
        }
        let together = limits.len() + route.limits.len();
        if together > MAX_LIMITS {
            let problem =
                format!("with those of the plan {name:?} these are {together} limits, more than {MAX_LIMITS}");
            return Err(ConfigError::new(format!("{path}.limits"), problem));
        }
    }
    Ok(())
}

/// Limits of the same name share their state across routes, so they must be equal.
///
/// `earlier` has the limits of earlier routes by name, each with the index of the first route that has it.
fn check_shared_limits(
    path: &str,
    place: usize,
    route: &Route,
    earlier: &mut HashMap<String, (usize, Limit)>,
) -> Result<(), ConfigError> {
    for (i, limit) in route.limits.iter().enumerate() {
        let (first, other) = earlier.entry(limit.name().to_string()).or_insert_with(|| (place, limit.clone()));
        if other != limit {
            let problem = format!("routes[{first}] has another limit of this name (the same limit is shared)");
            return Err(ConfigError::new(format!("{path}.limits[{i}].name"), problem));
        }
    }
    Ok(())
}

/// The key of a sliding log has its name but not its window. If one client had two logs of the same name with different
/// windows, the shorter one would remove entries that the longer one still counts.
fn check_shared_logs(path: &str, route: &Route, plans: &BTreeMap<String, Plan>) -> Result<(), ConfigError> {
    let is_log = |limit: &&Limit| matches!(limit.algorithm(), Algorithm::SlidingLog { .. });
    let of_plan = route.plan.as_ref().and_then(|plan| plans.get(plan)).map_or(&[][..], Plan::limits);
    for limit in route.limits.iter().chain(of_plan).filter(is_log) {
        for (name, plan) in plans {
            let differs = |other: &&Limit| {
                other.name() == limit.name() && other.by() == limit.by() && other.window() != limit.window()
            };
            if plan.limits().iter().filter(is_log).any(|other| differs(&other)) {
                let problem = format!(
                    "the sliding_log {:?} has another window in the plan {name:?}, which the same client may have \
                     elsewhere (give one of them another name)",
                    limit.name().as_str()
                );
                return Err(ConfigError::new(path, problem));
            }
        }
    }
    Ok(())
}

fn statuses(path: fmt::Arguments<'_>, texts: &[String]) -> Result<Statuses, ConfigError> {
    let mut statuses = Statuses::default();
    for (i, text) in texts.iter().enumerate() {
        statuses.add(text).map_err(|problem| ConfigError::new(format!("{path}[{i}]"), problem))?;
    }
    Ok(statuses)
}

#[cfg(test)]
mod tests;
