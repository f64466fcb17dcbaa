//! The wrangler configuration of a test's Worker, derived from the repository's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

/// Reads the TOML at `path` and makes it independent of its location: paths become absolute, `[build]` is removed.
///
/// `sluicegate` replaces the variable `SLUICEGATE`; `more` adds or replaces fields.
pub(super) fn derive(
    path: &Path,
    sluicegate: Option<Value>,
    more: Vec<(String, Value)>,
) -> Result<Value, ConfigurationError> {
    let path = fs::canonicalize(path).map_err(|source| ConfigurationError::Read { path: path.to_owned(), source })?;
    let text = fs::read_to_string(&path).map_err(|source| ConfigurationError::Read { path: path.clone(), source })?;
    let mut config: Map<String, Value> = toml::from_str(&text)
        .map_err(|source| ConfigurationError::Toml { path: path.clone(), source: Box::new(source) })?;
    let folder = path.parent().unwrap_or(Path::new("/"));

    // Tests run the Worker that is already built: builds in each of them would take minutes and collide.
    config.remove("build");
    for name in ["main", "base_dir"] {
        config.entry(name).and_modify(|path| make_absolute(path, folder));
    }
    if let Some(directory) = config.get_mut("assets").and_then(|assets| assets.get_mut("directory")) {
        make_absolute(directory, folder);
    }
    if let Some(main) = config.get("main").and_then(Value::as_str).map(PathBuf::from)
        && !main.exists()
    {
        return Err(ConfigurationError::NotBuilt { main });
    }
    if let Some(sluicegate) = sluicegate {
        let vars = config.entry("vars").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(vars) = vars {
            vars.insert("SLUICEGATE".to_owned(), sluicegate);
        }
    }
    config.extend(more);
    Ok(Value::Object(config))
}

/// A wrangler configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}: not a TOML table", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The Worker's module does not exist.
    #[error("{}: not built (run `make build` first)", main.display())]
    NotBuilt {
        /// The module that `main` names.
        main: PathBuf,
    },
}

fn make_absolute(value: &mut Value, folder: &Path) {
    if let Value::String(path) = value {
        *path = folder.join(&*path).to_string_lossy().into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_become_absolute_and_build_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let path = folder.join("wrangler.toml");
        fs::write(folder.join("index.js"), "").unwrap();
        let text = r#"
            name = "w"
            main = "index.js"
            [build]
            command = "false"
            [assets]
            directory = "./www"
            binding = "ASSETS"
            [vars]
            ORIGIN = "x"
            [vars.SLUICEGATE]
            timeout = "1s"
        "#;
        fs::write(&path, text).unwrap();

        let derived = derive(&path, Some(json!({ "timeout": "2s" })), vec![("name".to_owned(), json!("v"))]).unwrap();

        let expected = json!({
            "name": "v",
            "main": folder.join("index.js"),
            "assets": { "directory": folder.join("./www"), "binding": "ASSETS" },
            "vars": { "ORIGIN": "x", "SLUICEGATE": { "timeout": "2s" } },
        });
        assert_eq!(derived, expected);
        assert_eq!(derive(&path, None, Vec::new()).unwrap()["vars"]["SLUICEGATE"], json!({ "timeout": "1s" }));
    }

    #[test]
    fn the_error_names_a_worker_that_is_not_built() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wrangler.toml");
        fs::write(&path, "main = 'build/index.js'").unwrap();
        let error = derive(&path, None, Vec::new()).unwrap_err().to_string();
        assert!(error.ends_with("build/index.js: not built (run `make build` first)"), "{error}");
    }

    #[test]
    fn the_error_names_a_file_that_is_not_toml() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wrangler.toml");
        fs::write(&path, "main = ").unwrap();
        let error = derive(&path, None, Vec::new()).unwrap_err().to_string();
        assert!(error.ends_with("wrangler.toml: not a TOML table"), "{error}");
        let missing = folder.path().join("missing.toml");
        assert!(derive(&missing, None, Vec::new()).unwrap_err().to_string().ends_with("missing.toml: cannot be read"));
    }
}
