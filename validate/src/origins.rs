//! Checks that each origin can be reached from the deployed Worker, and is not the Worker itself.

use serde_json::Value;
use sluicegate::config::environment::Environment;
use sluicegate::config::{Origin, missing_service};

use super::file::File;
use super::finding::Finding;
use super::outcome::Outcome;
use super::variables::Variables;

/// Adds the problems and warnings about the origins, and about the secrets that they get.
pub(crate) fn check(
    file: &File,
    environment: Option<&str>,
    variables: &Variables,
    valid: &Environment,
    outcome: &mut Outcome,
) {
    let settings = Settings { file, environment };
    for (_, name) in valid.config.secret_references() {
        if outcome.secrets.insert(name.to_owned()) {
            outcome.problems.extend(variables.secret_in_file(name));
        }
    }
    for (path, origin) in valid.origins() {
        let path = variables.path_of(&path);
        match origin {
            Origin::Service(name) => {
                outcome.problems.extend(settings.missing_service(&path, name));
                outcome.problems.extend(settings.bound_to_itself(&path, name));
            }
            Origin::Zone => settings.check_zone(&path, outcome),
            Origin::Url(_) => outcome.warnings.extend(settings.leads_back(&path, &origin.host().unwrap_or_default())),
        }
    }
}

/// The settings of wrangler that decide what a fetch reaches.
struct Settings<'f> {
    file: &'f File,
    environment: Option<&'f str>,
}

impl Settings<'_> {
    /// Returns the problem if no binding has this name. A VPC service is bound like another Worker.
    fn missing_service(&self, path: &str, name: &str) -> Option<Finding> {
        let has = |kind: &str| {
            let bindings = self.file.own(self.environment, kind).1.and_then(Value::as_array);
            bindings.is_some_and(|bindings| bindings.iter().any(|one| one.get("binding") == Some(&Value::from(name))))
        };
        let section = self.file.own(self.environment, "services").0;
        let missing = missing_service(path, name, &section);
        (!has("services") && !has("vpc_services")).then(|| Finding::new(missing.path, missing.problem))
    }

    /// Returns the problem if the binding with this name leads to this Worker.
    fn bound_to_itself(&self, path: &str, name: &str) -> Option<Finding> {
        let (section, bindings) = self.file.own(self.environment, "services");
        let binding = bindings?.as_array()?.iter().find(|one| one.get("binding") == Some(&Value::from(name)))?;
        let service = binding.get("service")?.as_str()?;
        let problem = format!("is this Worker: {section} binds {name:?} to {service:?} (name the other Worker)");
        (Some(service) == self.worker().as_deref()).then(|| Finding::new(path, problem))
    }

    /// Returns the name under which wrangler deploys this Worker. Without a name of its own, an environment gets that of the
    /// top level and its own name.
    fn worker(&self) -> Option<String> {
        let name = |environment| self.file.own(environment, "name").1.and_then(Value::as_str);
        let top = name(None);
        match self.environment {
            None => top.map(str::to_owned),
            Some(own) => name(Some(own)).map(str::to_owned).or_else(|| Some(format!("{}-{own}", top?))),
        }
    }

    /// Checks that a fetch of the client's URL goes past this Worker.
    fn check_zone(&self, path: &str, outcome: &mut Outcome) {
        if self.is_strictly_public() {
            let problem = format!(
                "is \"zone\", but with the compatibility flag {STRICTLY_PUBLIC:?} a fetch of the client's URL \
                comes back to this Worker (remove the flag)"
            );
            outcome.problems.push(Finding::new(path, problem));
        }
        let remedy = "use routes = [{ pattern = \"api.example.com/*\", zone_name = \"example.com\" }]";
        let mut warn =
            |problem: &str| outcome.warnings.push(Finding::new(path, format!("is \"zone\", but {problem} ({remedy})")));
        let routes = self.routes();
        if routes.is_empty() {
            warn("the Worker has no routes, so it runs on no zone");
        }
        if let Some(custom) = routes.iter().find(|route| route.is_custom_domain) {
            warn(&format!("{:?} is a custom domain: there this Worker is the zone's origin", custom.host));
        }
        if self.file.inheritable(self.environment, "workers_dev").1 == Some(&Value::Bool(true)) && !routes.is_empty() {
            warn("workers_dev is true: workers.dev has no other origin");
        }
    }

    /// Returns the warning if a fetch of this host does not reach another server.
    fn leads_back(&self, path: &str, host: &str) -> Option<Finding> {
        if host.ends_with(".workers.dev") {
            let problem = "is a Worker: if it is of the same account, Cloudflare answers with error 1042 (bind it in \
                [[services]] and set \"service:NAME\")";
            return Some(Finding::new(path, problem));
        }
        let comes_back = |route: &Route| (route.is_custom_domain || self.is_strictly_public()) && route.matches(host);
        let routes = self.routes();
        let route = routes.iter().find(|route| comes_back(route))?;
        let problem =
            format!("is this Worker: {:?} is in its routes (name the address of the origin itself)", route.host);
        Some(Finding::new(path, problem))
    }

    /// Returns the routes on which the Worker runs.
    fn routes(&self) -> Vec<Route<'_>> {
        let list = self.file.inheritable(self.environment, "routes").1.and_then(Value::as_array);
        let one = self.file.inheritable(self.environment, "route").1;
        list.into_iter().flatten().chain(one).filter_map(Route::read).collect()
    }

    fn is_strictly_public(&self) -> bool {
        let flags = self.file.inheritable(self.environment, "compatibility_flags").1.and_then(Value::as_array);
        flags.is_some_and(|flags| flags.iter().any(|flag| flag == STRICTLY_PUBLIC))
    }
}

/// A route of wrangler.
struct Route<'f> {
    /// The host of the pattern, which may begin with an asterisk.
    host: &'f str,
    is_custom_domain: bool,
}

impl<'f> Route<'f> {
    fn read(route: &'f Value) -> Option<Self> {
        let pattern = route.as_str().or_else(|| route.get("pattern")?.as_str())?;
        let pattern = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
        Some(Route {
            host: pattern.split('/').next().unwrap_or(pattern),
            is_custom_domain: route.get("custom_domain") == Some(&Value::Bool(true)),
        })
    }

    fn matches(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            Some(end) => host.ends_with(end),
            None => host.eq_ignore_ascii_case(self.host),
        }
    }
}

/// Makes a fetch of any URL start at Cloudflare's front door (Cloudflare documentation, "Compatibility flags").
const STRICTLY_PUBLIC: &str = "global_fetch_strictly_public";
