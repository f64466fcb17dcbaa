//! The rules for browsers, as written.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::deserializer::unexpected;
use crate::config::cors::{Cors, CorsOrigins, Preflight, SerializedOrigin};
use crate::config::error::ConfigError;

#[derive(Deserialize)]
#[serde(rename = "cors", deny_unknown_fields)]
pub(super) struct RawCors {
    origins: RawOrigins,
    #[serde(default)]
    credentials: bool,
    #[serde(default)]
    preflight: Preflight,
}

/// `"*"`, or a list.
enum RawOrigins {
    Any,
    Listed(Vec<String>),
}

impl<'de> Deserialize<'de> for RawOrigins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = |value: &Value| D::Error::invalid_type(unexpected(value), &"a list of origins, or \"*\"");
        match Value::deserialize(deserializer)? {
            Value::String(text) if text == "*" => Ok(RawOrigins::Any),
            Value::Array(items) => {
                let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| expected(item));
                items.iter().map(text).collect::<Result<_, _>>().map(RawOrigins::Listed)
            }
            other => Err(expected(&other)),
        }
    }
}

impl RawCors {
    /// Validates the fields. `path` is that of the whole, for errors.
    pub(super) fn validate(self, path: &str) -> Result<Cors, ConfigError> {
        let at = |field: &str| format!("{path}.{field}");
        let origins = match self.origins {
            RawOrigins::Any if self.credentials => {
                let problem = "cannot be true with origins = \"*\": every site could read what only its user may see \
                               (list the origins)";
                return Err(ConfigError::new(at("credentials"), problem));
            }
            RawOrigins::Any => CorsOrigins::Any,
            RawOrigins::Listed(texts) if texts.is_empty() => {
                return Err(ConfigError::new(at("origins"), "is empty (leave cors out to allow no other origin)"));
            }
            RawOrigins::Listed(texts) => {
                let mut origins = Vec::new();
                for (i, text) in texts.iter().enumerate() {
                    let error = |problem| ConfigError::new(at(&format!("origins[{i}]")), problem);
                    let origin = SerializedOrigin::new(text).map_err(error)?;
                    if origins.contains(&origin) {
                        return Err(error("is listed twice".to_owned()));
                    }
                    origins.push(origin);
                }
                CorsOrigins::Listed(origins)
            }
        };
        Ok(Cors { origins, credentials: self.credentials, preflight: self.preflight })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;

    fn parse(cors: &Value) -> Result<Option<Cors>, String> {
        let limit = json!({ "name": "l", "algorithm": "sliding_log", "limit": 1, "window": "1s" });
        let config = json!({ "default_plan": "p", "plans": { "p": { "limits": [limit] } }, "cors": cors });
        Config::from_json(&config.to_string()).map(|config| config.cors).map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_are_read() {
        let any = Cors { origins: CorsOrigins::Any, credentials: false, preflight: Preflight::Forward };
        assert_eq!(parse(&json!({ "origins": "*" })), Ok(Some(any)));
        let cors = json!({ "origins": ["https://a.example"], "credentials": true, "preflight": "answer" });
        let origins = CorsOrigins::Listed(vec![SerializedOrigin::new("https://a.example").unwrap()]);
        assert_eq!(parse(&cors), Ok(Some(Cors { origins, credentials: true, preflight: Preflight::Answer })));
        assert_eq!(parse(&Value::Null), Ok(None));
    }

    #[test]
    fn errors_name_the_field() {
        for (cors, message) in [
            (json!("*"), "cors: invalid type: string \"*\", expected an object"),
            (json!({}), "cors: missing field `origins`"),
            (
                json!({ "origins": "https://a.example" }),
                "cors.origins: invalid type: string \"https://a.example\", expected a list of origins, or \"*\"",
            ),
            (
                json!({ "origins": [1] }),
                "cors.origins: invalid type: integer `1`, expected a list of origins, or \"*\"",
            ),
            (json!({ "origins": [] }), "cors.origins: is empty (leave cors out to allow no other origin)"),
            (json!({ "origins": ["https://a.example", "https://a.example"] }), "cors.origins[1]: is listed twice"),
            (
                json!({ "origins": ["https://a.example/"] }),
                "cors.origins[0]: expected an origin like \"https://app.example.com\", found \"https://a.example/\" \
                 (did you mean \"https://a.example\"?)",
            ),
            (
                json!({ "origins": "*", "credentials": true }),
                "cors.credentials: cannot be true with origins = \"*\": every site could read what only its user may see \
                 (list the origins)",
            ),
            (
                json!({ "origins": "*", "preflight": "drop" }),
                "cors.preflight: unknown way to handle a preflight \"drop\" (known: forward, answer)",
            ),
            (
                json!({ "origins": "*", "max_age": 1 }),
                "cors.max_age: unknown field \"max_age\" (known: origins, credentials, preflight)",
            ),
        ] {
            assert_eq!(parse(&cors), Err(message.to_owned()));
        }
    }
}
