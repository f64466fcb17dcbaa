//! The secrets that routes send to their origins.

use std::collections::BTreeMap;

use super::error::ConfigError;
use crate::redis::Token;

/// Secrets for origins by name, hidden from `Debug`.
#[derive(Debug, Clone, Default)]
pub struct OriginSecrets(BTreeMap<String, Token>);

impl OriginSecrets {
    /// Reads secrets through `variable`, which looks one up by name. Each of `references` has the path of the field
    /// that names a secret, and the name.
    ///
    /// # Errors
    /// Returns [`ConfigError`] if one is missing or cannot be part of a header. No message contains a secret.
    pub(super) fn read<'a>(
        references: impl Iterator<Item = (String, &'a str)>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut secrets = BTreeMap::new();
        for (path, name) in references {
            if secrets.contains_key(name) {
                continue;
            }
            let problem =
                |problem: &str, remedy: &str| ConfigError::new(name, format!("{problem} ({remedy}; {path} needs it)"));
            let value = variable(name).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| problem("is not set", &format!("run `wrangler secret put {name}`")))?;
            let token = Token::new(&value)
                .ok_or_else(|| problem("has a character that no token has", "look for a space or a line's end"))?;
            secrets.insert(name.to_owned(), token);
        }
        Ok(OriginSecrets(secrets))
    }

    /// Returns a secret.
    pub(super) fn reveal(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Token::reveal)
    }

    #[cfg(test)]
    pub(super) fn new<const N: usize>(secrets: [(&str, &str); N]) -> Self {
        OriginSecrets(secrets.map(|(name, value)| (name.to_owned(), Token::new(value).unwrap())).into())
    }
}
