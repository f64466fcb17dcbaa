//! A wrangler configuration file, TOML or JSON.

use jsonc_parser::ParseOptions;
use serde_json::{Map, Value};

use super::finding::Finding;
use super::variables::Variables;

/// The contents of a wrangler configuration file.
pub(crate) struct File(Map<String, Value>);

impl File {
    /// Parses the text of a file: JSON if its name ends in `.json` or `.jsonc`, TOML otherwise.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Finding> {
        let members = members(name, text)?;
        if members.get("env").is_some_and(|env| !env.is_object()) {
            return Err(Finding::new("env", "is not a table"));
        }
        Ok(File(members))
    }

    /// Returns the file as JSON if it is not for wrangler, but the configuration of sluicegate alone.
    pub(crate) fn as_configuration(&self) -> Option<String> {
        let is_for_wrangler = ["main", "vars", "env"].into_iter().any(|name| self.0.contains_key(name));
        let is_ours = ["plans", "default_plan"].into_iter().any(|name| self.0.contains_key(name));
        (is_ours && !is_for_wrangler).then(|| Value::Object(self.0.clone()).to_string())
    }

    /// Returns whether an environment has a KV binding of this name. `kv_namespaces` is not inheritable.
    pub(crate) fn has_kv(&self, environment: Option<&str>, binding: &str) -> bool {
        let list = self.section(environment).ok().and_then(|section| section.get("kv_namespaces")?.as_array());
        list.is_some_and(|list| list.iter().any(|one| one.get("binding").is_some_and(|name| name == binding)))
    }

    /// Returns everything that wrangler can deploy from this file: the top level, then each environment.
    pub(crate) fn environments(&self) -> impl Iterator<Item = Option<&str>> {
        std::iter::once(None).chain(self.names().map(Some))
    }

    /// Returns the variables of an environment. `vars` is not inheritable, so the top level's do not count for it.
    pub(crate) fn variables(&self, environment: Option<&str>) -> Result<Variables, Finding> {
        let path = path(environment, "vars");
        match (self.section(environment)?.get("vars"), environment) {
            (Some(Value::Object(variables)), _) => Ok(Variables { path, values: variables.clone() }),
            (Some(_), _) => Err(Finding::new(path, "is not a table")),
            (None, Some(_)) => {
                let remedy = format!("add [{path}]");
                let reason = "environments do not inherit vars: wrangler would deploy a Worker without configuration";
                Err(Finding::new(path, format!("is missing ({reason}; {remedy})")))
            }
            (None, None) => {
                let names = self.list_names().map(|names| format!(" ({names}; choose one with --env)"));
                Err(Finding::new(path, format!("is missing{}", names.unwrap_or_default())))
            }
        }
    }

    /// Returns an inheritable setting and its path: the environment's own if it has one, otherwise the top level's.
    pub(crate) fn inheritable(&self, environment: Option<&str>, name: &str) -> (String, Option<&Value>) {
        let setting = |environment| self.section(environment).ok()?.get(name).filter(|value| !value.is_null());
        match setting(environment) {
            Some(own) => (path(environment, name), Some(own)),
            None => (name.to_owned(), setting(None)),
        }
    }

    /// Returns a setting that environments do not inherit, and its path.
    pub(crate) fn own(&self, environment: Option<&str>, name: &str) -> (String, Option<&Value>) {
        (path(environment, name), self.section(environment).ok().and_then(|section| section.get(name)))
    }

    /// Returns the table of an environment, or of the top level.
    fn section(&self, environment: Option<&str>) -> Result<&Map<String, Value>, Finding> {
        let Some(name) = environment else { return Ok(&self.0) };
        match self.0.get("env").and_then(|environments| environments.get(name)) {
            Some(Value::Object(section)) => Ok(section),
            Some(_) => Err(Finding::new(format!("env.{name}"), "is not a table")),
            None => {
                let known = self.list_names().unwrap_or_else(|| "the file has no environments".to_owned());
                Err(Finding::new(format!("env.{name}"), format!("is missing ({known})")))
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let environments = self.0.get("env").and_then(Value::as_object);
        environments.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    fn list_names(&self) -> Option<String> {
        let names: Vec<_> = self.names().collect();
        (!names.is_empty()).then(|| format!("environments: {}", names.join(", ")))
    }
}

/// Parses the text of a file: JSON if its name ends in `.json` or `.jsonc`, TOML otherwise.
pub(crate) fn members(name: &str, text: &str) -> Result<Map<String, Value>, Finding> {
    let whole = |problem: String| Finding::new("", problem);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let value = match extension.as_deref() {
        Some("json" | "jsonc") => jsonc_parser::parse_to_serde_value(text, &JSON_WITH_COMMENTS)
            .map_err(|error| whole(format!("is not valid JSON: {error}")))?,
        _ => toml::from_str(text)
            .map_err(|error| whole(format!("is not valid TOML: {}", error.to_string().trim_end())))?,
    };
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(whole("is not an object".to_owned())),
    }
}

/// Returns the path of a setting of an environment, or of the top level.
fn path(environment: Option<&str>, setting: &str) -> String {
    environment.map_or_else(|| setting.to_owned(), |name| format!("env.{name}.{setting}"))
}

/// The JSON that wrangler accepts.
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
