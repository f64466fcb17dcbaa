//! `GET /configuration`: the configuration in force.

use serde_json::{Value, json};

use super::admin::Admin;
use super::limit::limits;
use super::members::{object, printed, texts};
use super::response::Response;
use crate::config::environment::CONFIG;
use crate::config::jwt::{JwtRules, KeysFrom};
use crate::config::routes::Route;
use crate::config::source::{CONFIG_KV, ConfigSource};
use crate::config::{Config, Cors, CorsOrigins, OnOutage};
use crate::limit::{MAX_INTEGER, Plan};
use crate::limiter::Clock;

impl<T> Admin<'_, T> {
    /// Returns the configuration without secrets: of the headers that a route sets, only the names.
    pub(super) fn configuration(&self) -> Response {
        let (kind, name, ttl) = match self.source {
            ConfigSource::Variable => ("variable", CONFIG, None),
            ConfigSource::File(name) => ("file", name.as_str(), None),
            ConfigSource::Kv { ttl } => ("kv", CONFIG_KV, Some(ttl.to_string())),
        };
        let plans = self.config.plans.iter().map(|(name, plan)| (name.as_str(), of_plan(plan))).collect();
        let source = vec![
            ("kind", kind.into()),
            ("name", name.into()),
            ("ttl", ttl.into()),
            ("rejected", self.rejected_config.into()),
        ];
        let shown = vec![
            ("source", object(source)),
            ("origin", self.origin.to_string().into()),
            ("settings", settings(self.config)),
            ("plans", object(plans)),
            ("routes", Value::Array(self.config.routes.all().map(of_route).collect())),
        ];
        Response::json(200, &object(shown))
    }
}

fn settings(config: &Config) -> Value {
    let sources = config.api_key_from.iter().map(|source| source.header().into());
    let clock = match config.clock {
        Clock::Edge => "edge",
        Clock::Redis => "redis",
    };
    object(vec![
        ("identify", printed(&config.identify)),
        ("api_key_from", Value::Array(sources.collect())),
        ("jwt", config.jwt.as_ref().map(jwt).into()),
        ("default_plan", config.default_plan_name.as_str().into()),
        ("on_outage", config.on_outage.name().into()),
        ("timeout", config.timeout.to_string().into()),
        ("local_refusals", config.local_refusals.to_string().into()),
        ("clock", clock.into()),
        ("scripts", json!(config.scripts)),
        ("ipv6_prefix", config.ipv6_prefix.into()),
        ("tenant_ttl", config.tenant_ttl.to_string().into()),
        ("tenant_cache", config.tenant_cache.into()),
        ("usage", config.usage.into()),
        ("log_allowed_one_in", config.log_allowed_one_in.into()),
        ("log_refused", json!(config.log_refused)),
        ("forward_key", config.forward_key.into()),
        ("cors", config.cors.as_ref().map(cors).into()),
    ])
}

fn jwt(rules: &JwtRules) -> Value {
    let keys = match &rules.keys {
        // A query may have a secret.
        KeysFrom::Url(url) => url.split('?').next().unwrap_or_default().to_owned(),
        KeysFrom::Variable(name) => format!("variable:{name}"),
    };
    object(vec![
        ("jwks", keys.into()),
        ("issuer", rules.issuer.as_str().into()),
        ("audience", printed(&rules.audience)),
        ("subject_claim", rules.subject_claim.as_str().into()),
        ("plan_claim", rules.plan_claim.as_deref().into()),
        ("header", rules.header.as_str().into()),
    ])
}

fn cors(cors: &Cors) -> Value {
    let origins = match &cors.origins {
        CorsOrigins::Any => "*".into(),
        CorsOrigins::Listed(origins) => printed(origins),
    };
    object(vec![("origins", origins), ("credentials", cors.credentials.into()), ("preflight", json!(cors.preflight))])
}

fn of_plan(plan: &Plan) -> Value {
    let prefetch = plan
        .prefetch()
        .map(|rule| object(vec![("units", rule.units().into()), ("hold", rule.hold().to_string().into())]));
    object(vec![("limits", limits(plan.limits())), ("prefetch", prefetch.into())])
}

/// Returns a route. Fields that are not set are left out.
fn of_route(route: &Route) -> Value {
    let (reading, onward) = (route.reading.as_ref(), &route.onward);
    let mut members = vec![
        ("match", route.pattern.to_string().into()),
        ("cost", cost(route)),
        ("cost_most", reading.map(|reading| reading.most).filter(|most| *most < MAX_INTEGER).into()),
        ("read_body", reading.filter(|reading| reading.reads_body()).map(|reading| reading.bytes).into()),
        ("include_usage", reading.is_some_and(|reading| reading.include_usage).into()),
        ("limits", limits(&route.limits)),
        ("plan", route.plan.as_deref().into()),
        ("exempt", route.exempt.into()),
        ("require_key", route.require_key.into()),
        ("require", json!(route.require)),
        ("on_outage", route.on_outage.map(OnOutage::name).into()),
        ("shadow", route.shadow.into()),
        ("allow", printed(&route.allow)),
        ("deny", printed(&route.deny)),
        ("settle", settle(route)),
        ("refund_on", texts(route.refund_on.iter().collect())),
        ("count_on", texts(route.count_on.iter().collect())),
        ("origin", onward.origin.as_ref().map(ToString::to_string).into()),
        ("strip", (onward.strip > 0).then(|| route.pattern.prefix(onward.strip)).into()),
        ("set", texts(onward.set_names().map(str::to_owned).collect())),
        ("remove", printed(onward.removed_names())),
    ];
    members.retain(|(name, value)| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty() || *name == "limits",
        _ => true,
    });
    // Here, false differs from what is not set.
    members.extend(onward.forward_key.map(|forwards| ("forward_key", forwards.into())));
    object(members)
}

/// Returns the cost of a route as it is written: a number, or where the request tells it.
fn cost(route: &Route) -> Value {
    let reading = route.reading.as_ref().filter(|reading| !reading.sources.is_empty());
    let Some(reading) = reading else { return route.cost.into() };
    let sources = reading.sources.iter().map(|source| reading.text_of(source));
    sources.chain([route.cost.to_string()]).collect::<Vec<_>>().join(" | ").into()
}

fn settle(route: &Route) -> Value {
    let rules = route.settle.as_ref().map_or(&[][..], |settle| settle.rules());
    match rules {
        [] => Value::Null,
        [only] if only.limit.is_none() => only.text.clone().into(),
        rules => {
            let each = rules.iter().filter_map(|rule| Some((rule.limit.as_ref()?.as_str(), rule.text.as_str().into())));
            object(each.collect())
        }
    }
}
