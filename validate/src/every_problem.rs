//! Finds all problems of a configuration. The parser stops at the first, so the part with the problem is replaced by a
//! valid one, and the parser runs again.

use serde_json::{Map, Value, json};
use sluicegate::config::{Config, ConfigError};

/// Parses a configuration.
///
/// # Errors
/// Returns one problem for each part: a plan, a route, or a top-level field.
pub(crate) fn check(text: &str) -> Result<Config, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let mut next = match Config::from_json(text) {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    if let Ok(Value::Object(mut config)) = serde_json::from_str(text) {
        while replace_part(&mut config, &next.path) {
            let found = Config::from_json(&Value::Object(config.clone()).to_string()).err();
            errors.push(next);
            match found {
                Some(error) => next = error,
                None => return Err(sorted(errors)),
            }
        }
    }
    errors.push(next);
    Err(sorted(errors))
}

/// Sorts by path, so that the order does not depend on the parser.
fn sorted(mut errors: Vec<ConfigError>) -> Vec<ConfigError> {
    errors.sort_by(|a, b| a.path.cmp(&b.path));
    errors
}

/// Replaces the part that contains `path`. Returns false if there is none, or if other parts depend on it.
fn replace_part(config: &mut Map<String, Value>, path: &str) -> bool {
    let top: String = path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    match (top.as_str(), config.get_mut(&top)) {
        ("plans", Some(Value::Object(plans))) => {
            // The name of a plan may contain a dot.
            let within = |name: &str| {
                let rest = path.strip_prefix("plans.").and_then(|path| path.strip_prefix(name));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let plan = plans.iter_mut().filter(|(name, _)| within(name)).max_by_key(|(name, _)| name.len());
            plan.is_some_and(|(_, plan)| replace(plan, valid_plan()))
        }
        ("routes", Some(Value::Array(routes))) => {
            let index = path.strip_prefix("routes[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
            let route = index.and_then(|index| Some((index, routes.get_mut(index)?)));
            route.is_some_and(|(index, route)| {
                let pattern = format!("GET /{index}/of/the/routes/that/were/replaced");
                // The table `jwt` needs a use.
                let valid = match route.get("require").filter(|require| *require == "jwt") {
                    Some(require) => json!({ "match": pattern, "exempt": true, "require": require }),
                    None => json!({ "match": pattern, "exempt": true }),
                };
                replace(route, valid)
            })
        }
        // Other parts depend on these.
        ("default_plan" | "identify" | "jwt" | "plans", _) | (_, None) => false,
        _ => config.remove(&top).is_some(),
    }
}

/// Returns a valid plan.
fn valid_plan() -> Value {
    json!({ "limits": [{ "name": "well", "algorithm": "fixed_window", "limit": 1, "window": "1s" }] })
}

/// Returns false if the part is already equal to `to`, so that the loop ends.
fn replace(part: &mut Value, to: Value) -> bool {
    let differs = *part != to;
    *part = to;
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(config: &Value) -> Vec<String> {
        let errors = check(&config.to_string()).expect_err("an invalid configuration");
        errors.iter().map(ConfigError::to_string).collect()
    }

    fn config() -> Value {
        json!({ "default_plan": "free", "plans": { "free": valid_plan(), "pro": valid_plan(), "pro.eu": valid_plan() } })
    }

    #[test]
    fn each_part_reports_its_first_problem() {
        let mut config = config();
        config["timeout"] = json!("0s");
        config["colour"] = json!("red");
        config["plans"]["pro"]["limits"][0]["limit"] = json!(0);
        config["plans"]["pro.eu"]["limits"][0]["window"] = json!("ten");
        let problems = problems(&config);
        assert_eq!(problems.len(), 4, "{problems:#?}");
        assert!(problems[0].starts_with("colour: unknown field \"colour\""), "{}", problems[0]);
        assert!(problems[1].starts_with("plans.pro.eu.limits[0].window: expected a duration"), "{}", problems[1]);
        assert_eq!(problems[2], "plans.pro.limits[0].limit: expected 1 to 9007199254740991, found 0");
        assert_eq!(problems[3], "timeout: expected 1ms to 30s, found 0ms");
    }

    #[test]
    fn each_route_reports_its_first_problem() {
        let mut config = config();
        let route = |path: &str, cost: u64| json!({ "match": format!("GET {path}"), "cost": cost });
        config["routes"] =
            json!([route("a", 1), route("/b", 1), { "match": "GET /c", "colour": "red" }, route("d", 1)]);
        let problems = problems(&config);
        let paths: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(paths, ["routes[0].match", "routes[2].colour", "routes[3].match"], "{problems:#?}");
    }

    #[test]
    fn a_broken_route_still_uses_the_rules_for_tokens() {
        let mut config = config();
        config["jwt"] = json!({ "jwks": "https://id.example/jwks", "issuer": "i", "audience": "a" });
        config["routes"] = json!([{ "match": "GET a", "require": "jwt" }]);
        config["timeout"] = json!("0s");
        let found = problems(&config);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("routes[0].match: "), "{}", found[0]);
        config["jwt"]["jwks"] = json!("http://id.example/jwks");
        let found = problems(&config);
        assert!(found.iter().any(|problem| problem.starts_with("jwt.jwks: is not encrypted")), "{found:#?}");
        assert!(!found.iter().any(|problem| problem.contains("is not used") || problem.contains("needs the table")));
    }

    #[test]
    fn dependent_parts_report_no_problem() {
        let mut config = config();
        config["default_plan"] = json!("none");
        assert_eq!(problems(&config), ["default_plan: no plan is named \"none\" (plans: free, pro, pro.eu)"]);
        config.as_object_mut().unwrap().remove("default_plan");
        assert_eq!(problems(&config), ["SLUICEGATE: missing field `default_plan`"]);
        assert_eq!(problems(&json!([])), ["SLUICEGATE: invalid type: sequence, expected an object"]);
        config["plans"] = json!([]);
        assert_eq!(problems(&config).len(), 1);
    }

    #[test]
    fn a_duplicate_key_does_not_hide_other_problems() {
        let limit = r#"{"name":"l","algorithm":"fixed_window","limit":1,"limit":2,"window":"1s"}"#;
        let text = format!(r#"{{"default_plan":"free","timeout":"0s","plans":{{"free":{{"limits":[{limit}]}}}}}}"#);
        let problems: Vec<_> = check(&text).unwrap_err().iter().map(ConfigError::to_string).collect();
        assert_eq!(
            problems,
            ["plans.free.limits[0]: the key \"limit\" appears twice", "timeout: expected 1ms to 30s, found 0ms"]
        );
    }

    #[test]
    fn valid_configuration_is_unchanged() {
        assert_eq!(check(&config().to_string()).unwrap().plans.len(), 3);
    }
}
