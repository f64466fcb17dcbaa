//! Whether a wrangler configuration passes requests to the zone's own origin.

use std::{fs, path::Path};

use serde_json::Value;

/// Returns whether a route of the configuration (TOML) at `path` has the origin `zone`. On this machine the URL of a request
/// leads to the Worker itself, so such a Worker needs another host in its URLs.
///
/// A file that cannot be read has no routes: wrangler reports what is wrong with it.
#[must_use]
pub fn has_zone_routes(path: &Path) -> bool {
    let config = fs::read_to_string(path).ok().and_then(|text| toml::from_str::<Value>(&text).ok()).unwrap_or_default();
    let routes = config.pointer("/vars/SLUICEGATE/routes").and_then(Value::as_array);
    routes.is_some_and(|routes| routes.iter().any(|route| route.get("origin").is_some_and(|origin| origin == "zone")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routes_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wrangler.toml");
        for (text, expected) in [
            ("[vars]\nORIGIN = \"zone\"\n[vars.SLUICEGATE]\n", false),
            ("[[vars.SLUICEGATE.routes]]\nmatch = \"* /a\"\n", false),
            ("[[vars.SLUICEGATE.routes]]\nmatch = \"* /a\"\norigin = \"service:A\"\n", false),
            ("[[vars.SLUICEGATE.routes]]\nmatch = \"* /a\"\n[[vars.SLUICEGATE.routes]]\norigin = \"zone\"\n", true),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(has_zone_routes(&path), expected, "{text}");
        }
        assert!(!has_zone_routes(&folder.path().join("missing.toml")));
    }
}
