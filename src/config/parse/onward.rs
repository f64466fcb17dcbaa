//! The fields of a route that say how its requests are sent to the origin, as written.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::error::ConfigError;
use crate::config::header_name::is_header_name;
use crate::config::header_value::HeaderValue;
use crate::config::managed_header::is_managed_header;
use crate::config::onward::Onward;
use crate::config::origin::Origin;
use crate::config::routes::Pattern;

/// The fields of a route about its origin.
pub(super) struct RawOnward {
    pub(super) origin: Option<String>,
    pub(super) strip: Option<String>,
    pub(super) forward_key: Option<bool>,
    pub(super) set: BTreeMap<String, String>,
    pub(super) remove: Vec<String>,
}

impl RawOnward {
    /// Validates the fields of the route at `path`, which has this pattern.
    pub(super) fn validate(self, path: &str, pattern: &Pattern) -> Result<Onward, ConfigError> {
        let at = |field: &str| format!("{path}.{field}");
        let origin = self.origin.map(|text| Origin::parse(&text)).transpose();
        let strip = self.strip.map_or(Ok(0), |prefix| pattern.length_of(&prefix));
        Ok(Onward {
            origin: origin.map_err(|problem| ConfigError::new(at("origin"), problem))?,
            strip: strip.map_err(|problem| ConfigError::new(at("strip"), problem))?,
            forward_key: self.forward_key,
            set: headers_to_set(format_args!("{path}.set"), &self.set)?,
            remove: headers_to_remove(format_args!("{path}.remove"), &self.remove, &self.set)?,
        })
    }
}

fn headers_to_set(
    path: fmt::Arguments<'_>,
    set: &BTreeMap<String, String>,
) -> Result<Vec<(String, HeaderValue)>, ConfigError> {
    let mut headers: Vec<(String, HeaderValue)> = Vec::new();
    for (name, value) in set {
        let at = format!("{path}.{name}");
        let lower = header(&at, name)?;
        if headers.iter().any(|(other, _)| *other == lower) {
            return Err(ConfigError::new(at, "is set twice (the case of a name does not count)"));
        }
        headers.push((lower, HeaderValue::parse(value).map_err(|problem| ConfigError::new(at, problem))?));
    }
    Ok(headers)
}

fn headers_to_remove(
    path: fmt::Arguments<'_>,
    remove: &[String],
    set: &BTreeMap<String, String>,
) -> Result<Vec<String>, ConfigError> {
    let mut headers: Vec<String> = Vec::new();
    for (i, name) in remove.iter().enumerate() {
        let at = format!("{path}[{i}]");
        let lower = header(&at, name)?;
        if headers.contains(&lower) {
            return Err(ConfigError::new(at, "is listed twice"));
        }
        if set.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(ConfigError::new(
                at,
                format!("{name:?} is in set as well (set replaces what the client sent)"),
            ));
        }
        headers.push(lower);
    }
    Ok(headers)
}

/// Parses the name of a header that a route may set or remove.
fn header(path: &str, name: &str) -> Result<String, ConfigError> {
    let lower = name.to_ascii_lowercase();
    if !is_header_name(name) {
        return Err(ConfigError::new(path, format!("expected the name of a header, found {name:?}")));
    }
    if is_managed_header(&lower) {
        let problem =
            format!("{name:?} cannot be set or removed (sluicegate, the runtime or Cloudflare decides about it)");
        return Err(ConfigError::new(path, problem));
    }
    Ok(lower)
}

#[cfg(test)]
mod tests;
