//! A wrangler configuration, TOML or JSON, as one value.

use jsonc_parser::ParseOptions;
use serde_json::{Map, Value};

use super::Finding;
use super::variables::Variables;

/// A wrangler configuration.
pub(super) struct File(Map<String, Value>);

impl File {
    /// Reads the text of a file; its name tells TOML from JSON.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, Finding> {
        let whole = |problem: String| Finding::new("", problem);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let value = match extension.as_deref() {
            Some("json" | "jsonc") => jsonc_parser::parse_to_serde_value(text, &JSON_WITH_COMMENTS)
                .map_err(|error| whole(format!("is not JSON: {error}")))?,
            _ => {
                toml::from_str(text).map_err(|error| whole(format!("is not TOML: {}", error.to_string().trim_end())))?
            }
        };
        match value {
            Value::Object(members) => Ok(File(members)),
            _ => Err(whole("is not an object".to_owned())),
        }
    }

    /// The variables that the Worker gets when it is deployed to this environment.
    pub(super) fn variables(&self, environment: Option<&str>) -> Result<Variables, Finding> {
        let (section, path) = match environment {
            None => (&self.0, "vars".to_owned()),
            Some(name) => (self.environment(name)?, format!("env.{name}.vars")),
        };
        match section.get("vars") {
            Some(Value::Object(variables)) => Ok(Variables { path, values: variables.clone() }),
            Some(_) => Err(Finding::new(path, "is not a table")),
            None if environment.is_some() => Err(Finding::new(path, "is missing (wrangler does not inherit [vars])")),
            None => Err(Finding::new(path, format!("is missing{}", self.hint("; choose one with --env")))),
        }
    }

    /// A setting that environments inherit: the environment's own, or else the file's.
    pub(super) fn inherited(&self, environment: Option<&str>, name: &str) -> Option<&Value> {
        let own = environment.and_then(|environment| self.environment(environment).ok()?.get(name));
        own.or_else(|| self.0.get(name))
    }

    fn environment(&self, name: &str) -> Result<&Map<String, Value>, Finding> {
        let environments = self.0.get("env").and_then(Value::as_object);
        let environment = environments.and_then(|environments| environments.get(name)).and_then(Value::as_object);
        environment.ok_or_else(|| Finding::new(format!("env.{name}"), format!("is missing{}", self.hint(""))))
    }

    /// Which environments there are.
    fn hint(&self, advice: &str) -> String {
        let environments = self.0.get("env").and_then(Value::as_object);
        let names: Vec<_> = environments.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        if names.is_empty() { String::new() } else { format!(" (environments: {}{advice})", names.join(", ")) }
    }
}

/// What wrangler takes for JSON.
const JSON_WITH_COMMENTS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};
