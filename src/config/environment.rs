//! A Worker's environment: the variables and secrets that say where the origin and Redis are, and the configuration.

use url::Url;

use super::config::{Config, Scripts};
use super::error::ConfigError;
use super::jwt::{KeySet, KeysFrom};
use super::origin::{Origin, http_url};
use super::origin_secrets::OriginSecrets;
use crate::redis::Token;
use crate::redis::script::Dialect;

/// Everything a Worker needs before its first request.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Where allowed requests go.
    pub origin: Origin,
    /// The secrets that routes send to their origins.
    pub origin_secrets: OriginSecrets,
    /// The base URL of the REST server.
    pub redis: Url,
    /// The REST server's token.
    pub token: Token,
    /// The token of the admin and check API. Without it, the API is off.
    pub admin_token: Option<Token>,
    /// The keys that verify tokens, if the configuration takes them from a variable.
    pub jwt_keys: Option<KeySet>,
    /// The parsed configuration.
    pub config: Config,
}

/// Where Redis is: what a limiter needs of its environment.
#[derive(Debug, Clone)]
pub struct RedisServer {
    /// The base URL of the REST server.
    pub url: Url,
    /// The REST server's token.
    pub token: Token,
}

/// The name of the variable that says where requests go.
pub const ORIGIN: &str = "ORIGIN";
/// The name of the variable that holds the REST server's URL.
pub const REDIS_URL: &str = "UPSTASH_REDIS_REST_URL";
/// The name of the secret that holds the REST server's token.
pub const REDIS_TOKEN: &str = "UPSTASH_REDIS_REST_TOKEN";
/// The name of the optional secret that holds the token of the admin and check API.
pub const ADMIN_TOKEN: &str = "SLUICEGATE_ADMIN_TOKEN";
/// The name of the variable that holds the configuration: a JSON object or its text.
pub const CONFIG: &str = "SLUICEGATE";

impl Environment {
    /// Reads the variables through `variable`, which looks one up by name.
    ///
    /// # Errors
    /// Returns [`ConfigError`] if one is missing or invalid. No message contains a secret.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let required = |name: &str| required(&variable, name);
        let config = Config::from_json(&required(CONFIG)?)?;
        let origin = Origin::parse(&required(ORIGIN)?).map_err(|text| problem(ORIGIN, &text))?;
        let origin_secrets = OriginSecrets::read(config.secret_references(), &variable)?;
        let RedisServer { url: redis, token } = RedisServer::read(&variable)?;
        let admin_token = variable(ADMIN_TOKEN).filter(|value| !value.is_empty());
        let admin_token = admin_token.map(|value| parse_admin_token(&value)).transpose()?;
        let jwt_keys = match config.jwt.as_ref().map(|rules| &rules.keys) {
            Some(KeysFrom::Variable(name)) => {
                let keys = KeySet::parse(required(name)?.as_bytes());
                Some(keys.map_err(|reason| problem(name, &reason))?)
            }
            Some(KeysFrom::Url(_)) | None => None,
        };
        Ok(Environment { origin, origin_secrets, redis, token, admin_token, jwt_keys, config })
    }

    /// Returns all origins, each with the path of the variable or field that names it.
    pub fn origins(&self) -> impl Iterator<Item = (String, &Origin)> {
        std::iter::once((ORIGIN.to_owned(), &self.origin)).chain(self.config.origins())
    }

    /// Returns the dialect of the scripts for this environment's Redis.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.config.scripts.dialect(&self.redis)
    }
}

impl RedisServer {
    /// Reads the variables through `variable`, which looks one up by name.
    ///
    /// # Errors
    /// Returns [`ConfigError`] if one is missing or invalid. No message contains a secret.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = http_url(&required(&variable, REDIS_URL)?, EXPECTED_URL).map_err(|text| problem(REDIS_URL, &text))?;
        Ok(RedisServer { url, token: token(REDIS_TOKEN, &required(&variable, REDIS_TOKEN)?)? })
    }
}

impl Scripts {
    /// Returns the dialect of the scripts for the server at `url`.
    #[must_use]
    pub fn dialect(self, url: &Url) -> Dialect {
        match self {
            Scripts::Auto => Dialect::for_host(url.host_str().unwrap_or_default()),
            Scripts::Plain => Dialect::Plain,
            Scripts::KeyLocking => Dialect::KeyLocking,
        }
    }
}

fn required(variable: impl Fn(&str) -> Option<String>, name: &str) -> Result<String, ConfigError> {
    variable(name).filter(|value| !value.is_empty()).ok_or_else(|| problem(name, "is not set"))
}

/// Returns whether a text may be the name of a variable.
pub(super) fn is_variable_name(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(word) && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

fn token(name: &str, value: &str) -> Result<Token, ConfigError> {
    Token::new(value)
        .ok_or_else(|| problem(name, "has a character that no token has (look for a space or a line's end)"))
}

/// Parses the admin token. It grants full access, so it must be too long to guess.
fn parse_admin_token(value: &str) -> Result<Token, ConfigError> {
    if value.len() < MIN_ADMIN_TOKEN {
        let expected = format!("is shorter than {MIN_ADMIN_TOKEN} characters (make one with: openssl rand -hex 32)");
        return Err(problem(ADMIN_TOKEN, &expected));
    }
    token(ADMIN_TOKEN, value)
}

/// 96 bits, if the token is hexadecimal.
const MIN_ADMIN_TOKEN: usize = 24;

const EXPECTED_URL: &str = "expected a URL like \"https://host\"";

fn problem(name: &str, problem: &str) -> ConfigError {
    ConfigError { path: name.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = r#"{"default_plan":"p","plans":{"p":{"limits":[
        {"name":"l","algorithm":"sliding_log","limit":1,"window":"1s"}]}}}"#;

    fn read(changes: &[(&str, &str)]) -> Result<Environment, String> {
        let defaults = [
            (CONFIG, LIMITS),
            (ORIGIN, "https://api.example.com"),
            (REDIS_URL, "https://x.upstash.io"),
            (REDIS_TOKEN, "t0ken"),
        ];
        let variable = |name: &str| {
            let find = |list: &[(&str, &str)]| list.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            find(changes).or_else(|| find(&defaults))
        };
        Environment::read(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn a_complete_environment_is_read() {
        let environment = read(&[]).unwrap();
        assert_eq!(environment.token.reveal(), "t0ken");
        assert_eq!(environment.dialect(), Dialect::KeyLocking);
        assert_eq!(read(&[(REDIS_URL, "http://127.0.0.1:8079")]).unwrap().dialect(), Dialect::Plain);
    }

    #[test]
    fn scripts_may_be_forced() {
        let forced = LIMITS.replacen('{', r#"{"scripts":"plain","#, 1);
        assert_eq!(read(&[(CONFIG, &forced)]).unwrap().dialect(), Dialect::Plain);
        let forced = LIMITS.replacen('{', r#"{"scripts":"key_locking","#, 1);
        let changes = [(CONFIG, forced.as_str()), (REDIS_URL, "http://127.0.0.1:8079")];
        assert_eq!(read(&changes).unwrap().dialect(), Dialect::KeyLocking);
    }

    #[test]
    fn errors_name_the_variable() {
        for (name, value, message) in [
            (CONFIG, "", "SLUICEGATE: is not set"),
            (ORIGIN, "", "ORIGIN: is not set"),
            (REDIS_URL, "", "UPSTASH_REDIS_REST_URL: is not set"),
            (REDIS_TOKEN, "", "UPSTASH_REDIS_REST_TOKEN: is not set"),
            (
                ORIGIN,
                "api.example.com",
                "ORIGIN: expected \"https://host\", \"service:NAME\" or \"zone\": relative URL without a base",
            ),
            (ORIGIN, "https://x/v1?y", "ORIGIN: has a query (requests keep the query they came with)"),
            (
                REDIS_URL,
                "ftp://x",
                "UPSTASH_REDIS_REST_URL: expected a URL like \"https://host\", found the scheme \"ftp\"",
            ),
            (
                REDIS_URL,
                "https://u:hunter2@x",
                "UPSTASH_REDIS_REST_URL: has credentials in it (a variable is no place for a secret)",
            ),
            (REDIS_URL, "https://x/#y", "UPSTASH_REDIS_REST_URL: has a fragment (#…)"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err(), message);
        }
    }

    #[test]
    fn the_admin_token_may_be_unset_but_not_short() {
        assert!(read(&[]).unwrap().admin_token.is_none());
        let long = "0123456789abcdef01234567";
        assert_eq!(read(&[(ADMIN_TOKEN, long)]).unwrap().admin_token.unwrap().reveal(), long);
        let message = read(&[(ADMIN_TOKEN, &long[1..])]).unwrap_err();
        assert!(message.starts_with("SLUICEGATE_ADMIN_TOKEN: is shorter than 24 characters"), "{message}");
        assert!(!message.contains(&long[1..]));
    }

    #[test]
    fn no_message_shows_the_token() {
        for token in ["hunter2 ", "hunter2\n", "hünter2"] {
            let message = read(&[(REDIS_TOKEN, token)]).unwrap_err();
            assert!(message.starts_with("UPSTASH_REDIS_REST_TOKEN: ") && !message.contains("nter2"), "{message}");
        }
        assert!(!format!("{:?}", read(&[]).unwrap()).contains("t0ken"));
    }

    #[test]
    fn services_and_secrets_that_are_named_are_needed() {
        let routes = r#"{"routes":[{"match":"GET /a","origin":"service:OTHER","set":{"x":"{secret:ORIGIN_X}"}}],"#;
        let config = LIMITS.replacen('{', routes, 1);
        let message = read(&[(CONFIG, &config)]).unwrap_err();
        assert_eq!(message, "ORIGIN_X: is not set (run `wrangler secret put ORIGIN_X`; routes[0].set.x needs it)");
        let changes = [(CONFIG, config.as_str()), (ORIGIN, "service:API"), ("ORIGIN_X", "hunter2")];
        let environment = read(&changes).unwrap();
        let services: Vec<_> = environment.origins().map(|(path, origin)| (path, origin.service().unwrap())).collect();
        assert_eq!(services, [("ORIGIN".to_owned(), "API"), ("routes[0].origin".to_owned(), "OTHER")]);
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
