//! The version of the Workers runtime's behaviour that the project is written for.

use std::{fs, io, path::Path};

use serde::Deserialize;

/// What wrangler.toml says of it; every contender runs with the same.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Compatibility {
    /// A day, `YYYY-MM-DD`.
    #[serde(rename = "compatibility_date")]
    pub(crate) date: String,
    /// Names of changes that are switched on or off by themselves.
    #[serde(rename = "compatibility_flags", default)]
    pub(crate) flags: Vec<String>,
}

impl Compatibility {
    /// Reads the wrangler.toml at `path`.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        toml::from_str(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_the_projects_configuration() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wrangler.toml");
        let compatibility = Compatibility::read(&path).unwrap();
        assert_eq!(compatibility.date.len(), "2026-01-02".len());
    }
}
