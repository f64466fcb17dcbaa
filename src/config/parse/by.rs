//! Checks what the limits of plans and routes count by.

use std::collections::BTreeMap;

use crate::config::error::{ConfigError, joined};
use crate::config::routes::{Pattern, Routes};
use crate::limit::{By, Limit, Plan};

/// Fails if a limit of a plan counts by a segment of the path: a plan applies on every route.
pub(super) fn check_plan(path: &str, limits: &[Limit]) -> Result<(), ConfigError> {
    match limits.iter().enumerate().find(|(_, limit)| matches!(limit.by(), Some(By::Path(_)))) {
        Some((i, _)) => {
            let problem = "a segment of the path is known on its route only (move the limit to the route)";
            Err(ConfigError::new(joined(path, &format!("limits[{i}].by")), problem))
        }
        None => Ok(()),
    }
}

/// Fails if a limit of a route counts by a segment that its pattern does not name.
pub(super) fn check_route(path: &str, pattern: &Pattern, limits: &[Limit]) -> Result<(), ConfigError> {
    for (i, limit) in limits.iter().enumerate() {
        if let Some(By::Path(name)) = limit.by()
            && pattern.place_of(name).is_none()
        {
            let problem = format!("the route {:?} has no segment \":{name}\"", pattern.to_string());
            return Err(ConfigError::new(format!("{path}.limits[{i}].by"), problem));
        }
    }
    Ok(())
}

/// All callers share the state of a limit that counts by everyone, so those of the same name must be equal.
pub(super) fn check_everyone(plans: &BTreeMap<String, Plan>, routes: &Routes) -> Result<(), ConfigError> {
    let mut found = Vec::new();
    for (name, plan) in plans {
        found.extend(of_everyone(plan.limits()).map(|(i, limit)| (format!("plans.{name}.limits[{i}]"), limit)));
    }
    for (at, route) in routes.all().enumerate() {
        found.extend(of_everyone(&route.limits).map(|(i, limit)| (format!("routes[{at}].limits[{i}]"), limit)));
    }
    let mut known: BTreeMap<&str, (String, &Limit)> = BTreeMap::new();
    for (path, limit) in found {
        match known.get(limit.name().as_str()) {
            Some((first, other)) if *other != limit => {
                let problem = format!("differs from {first}, and everyone shares one limit of this name");
                return Err(ConfigError::new(path, problem));
            }
            Some(_) => {}
            None => drop(known.insert(limit.name().as_str(), (path, limit))),
        }
    }
    Ok(())
}

/// Returns the limits that count by everyone, each with its index.
fn of_everyone(limits: &[Limit]) -> impl Iterator<Item = (usize, &Limit)> {
    limits.iter().enumerate().filter(|(_, limit)| limit.by() == Some(&By::Everyone))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::Config;
    use crate::limit::By;

    fn limit(name: &str, by: &str) -> Value {
        json!({ "name": name, "algorithm": "token_bucket", "limit": 5, "window": "1s", "by": by })
    }

    fn parse(plans: &Value, routes: &Value) -> Result<Config, String> {
        let config = json!({ "default_plan": "a", "plans": plans, "routes": routes });
        Config::from_json(&config.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_count_by_what_they_name() {
        let plans = json!({ "a": { "limits": [limit("user", "header:X-User"), limit("all", "everyone")] } });
        let routes = json!([{ "match": "GET /repos/:owner/:repo", "limits": [limit("repo", "path:repo")] }]);
        let config = parse(&plans, &routes).unwrap();
        let by: Vec<_> = config.default_plan.limits().iter().map(|limit| limit.by().unwrap().clone()).collect();
        assert_eq!(by, [By::Header("x-user".into()), By::Everyone]);
        assert_eq!(config.routes.all().next().unwrap().limits[0].by(), Some(&By::Path("repo".into())));
    }

    #[test]
    fn contradictions_are_named() {
        let plain = json!({ "a": { "limits": [limit("own", "route")] } });
        let slower =
            json!({ "name": "all", "algorithm": "token_bucket", "limit": 5, "window": "2s", "by": "everyone" });
        for (plans, routes, expected) in [
            (
                json!({ "a": { "limits": [limit("x", "user")] } }),
                json!([]),
                "plans.a.limits[0].by: expected \"address\", \"header:NAME\", ",
            ),
            (
                json!({ "a": { "limits": [limit("x", "path:id")] } }),
                json!([]),
                "plans.a.limits[0].by: a segment of the path is known on its route only (move the limit to the route)",
            ),
            (
                plain.clone(),
                json!([{ "match": "GET /users/:id", "limits": [limit("x", "path:user")] }]),
                "routes[0].limits[0].by: the route \"GET /users/:id\" has no segment \":user\"",
            ),
            (
                json!({ "a": { "limits": [limit("all", "everyone")] }, "b": { "limits": [slower.clone()] } }),
                json!([]),
                "plans.b.limits[0]: differs from plans.a.limits[0], and everyone shares one limit of this name",
            ),
            (
                json!({ "a": { "limits": [limit("x", "everyone")] } }),
                json!([
                    { "match": "GET /a", "limits": [limit("all", "everyone")] },
                    { "match": "GET /b", "limits": [slower] },
                ]),
                "routes[1].limits[0].name: routes[0] has another limit of this name",
            ),
            (
                json!({ "a": { "limits": [limit("x", "address")], "prefetch": { "units": 5, "hold": "10ms" } } }),
                json!([]),
                "plans.a.prefetch: the limit \"x\" counts by address, ",
            ),
        ] {
            let error = parse(&plans, &routes).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
