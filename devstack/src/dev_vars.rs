//! `.dev.vars`: the secrets of the development Worker in wrangler's format, one `NAME=value` per line.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sluicegate_bridge::random_token;

/// The tokens of the bridge and of the Worker's admin API.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The bridge's bearer token, `UPSTASH_REDIS_REST_TOKEN`.
    pub rest_token: String,
    /// The admin API's bearer token, `SLUICEGATE_ADMIN_TOKEN`.
    pub admin_token: String,
}

impl Secrets {
    /// Generates both tokens, 160 random bits each.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub fn random() -> io::Result<Self> {
        Ok(Self { rest_token: random_token()?, admin_token: random_token()? })
    }

    /// Reads the secrets from the file at `path` and adds missing ones; other lines stay as they are.
    ///
    /// Afterwards only the owner can read the file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or written.
    pub fn keep(path: &Path) -> Result<Self, DevVarsError> {
        Self::read_or_create(path).map_err(|source| DevVarsError { path: path.to_owned(), source })
    }

    fn read_or_create(path: &Path) -> io::Result<Self> {
        let before = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut text = before.clone();
        let secrets = Self {
            rest_token: read_or_append(&mut text, REST_TOKEN)?,
            admin_token: read_or_append(&mut text, ADMIN_TOKEN)?,
        };
        if text != before {
            write_privately(path, &text)?;
        }
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(secrets)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the values, because debug output ends up in logs.
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// `.dev.vars` could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: secrets cannot be stored", path.display())]
pub struct DevVarsError {
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

/// Writes a file that only its owner can read, atomically.
pub(crate) fn write_privately(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn read_or_append(text: &mut String, name: &str) -> io::Result<String> {
    if let Some(value) = value_of(text, name) {
        return Ok(value.to_owned());
    }
    let value = random_token()?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend([name, "=", &value, "\n"]);
    Ok(value)
}

/// Returns the value of the last line that sets `name`. As in the dotenv format, `export` and quotes are allowed.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut values = text.lines().filter_map(|line| {
        let line = line.trim();
        let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        (key.trim() == name).then(|| unquoted(value.trim()))
    });
    values.next_back().filter(|value| !value.is_empty())
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\'', '`'] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inner;
        }
    }
    // A comment may follow a value without quotes.
    value.split_once('#').map_or(value, |(value, _)| value.trim_end())
}

pub(crate) const REST_TOKEN: &str = "UPSTASH_REDIS_REST_TOKEN";
pub(crate) const ADMIN_TOKEN: &str = "SLUICEGATE_ADMIN_TOKEN";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_generated_once_and_other_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dev.vars");
        fs::write(&path, "# mine\nOTHER=\"a b\"\nUPSTASH_REDIS_REST_TOKEN=\nLAST=1").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();

        let first = Secrets::keep(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let second = Secrets::keep(&path).unwrap();

        assert_eq!(first, second);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert!(text.starts_with("# mine\nOTHER=\"a b\"\nUPSTASH_REDIS_REST_TOKEN=\nLAST=1\n"), "{text}");
        assert!(text.contains(&format!("\nUPSTASH_REDIS_REST_TOKEN={}\n", first.rest_token)), "{text}");
        assert!(text.ends_with(&format!("\nSLUICEGATE_ADMIN_TOKEN={}\n", first.admin_token)), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn tokens_differ_and_are_not_shown() {
        let secrets = Secrets::random().unwrap();
        assert_ne!(secrets.rest_token, secrets.admin_token);
        assert_ne!(secrets, Secrets::random().unwrap());
        assert!(!format!("{secrets:?}").contains(&secrets.rest_token));
    }

    #[test]
    fn values_are_parsed_as_dotenv_does() {
        let check = |text, expected| assert_eq!(value_of(text, "A"), expected, "{text}");
        check("A=x", Some("x"));
        check("export A = x # note", Some("x"));
        check("A='x # y' # z", Some("x # y"));
        check("A=\"x\"", Some("x"));
        check("A=1\nA=2", Some("2"));
        check("AB=1", None);
        check("#A=1", None);
        check("A=", None);
    }

    #[test]
    fn the_error_names_the_file() {
        let path = Path::new("/nowhere/at/all/.dev.vars");
        assert_eq!(Secrets::keep(path).unwrap_err().to_string(), "/nowhere/at/all/.dev.vars: secrets cannot be stored");
    }
}
