//! The compatibility date and flags of a Worker.

use std::{fs, io, path::Path};

use serde::Deserialize;

/// Which behavior of the Workers runtime a Worker is written for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Compatibility {
    /// A day, `YYYY-MM-DD`.
    #[serde(rename = "compatibility_date")]
    pub date: String,
    /// Changes switched on or off separately from the date.
    #[serde(rename = "compatibility_flags", default)]
    pub flags: Vec<String>,
}

impl Compatibility {
    /// Reads the date and the flags from the wrangler.toml at `path`.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, is not TOML, or has no date.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        toml::from_str(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_has_a_compatibility_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wrangler.toml");
        let compatibility = Compatibility::read(&path).unwrap();
        assert_eq!(compatibility.date.len(), "2026-01-02".len());
    }
}
