//! Where the text of the configuration comes from.

use super::environment::CONFIG;
use super::error::ConfigError;
use crate::time::Millis;

/// The one place that the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigSource {
    /// The variable [`CONFIG`].
    Variable,
    /// A file that was bundled with the Worker, by its name.
    File(String),
    /// A KV namespace, read again when its text is older than `ttl`.
    Kv {
        /// How long a text is used before it is read again.
        ttl: Millis,
    },
}

/// The name of the variable that names the bundled file.
pub const CONFIG_FILE: &str = "SLUICEGATE_FILE";
/// The name of the KV binding that holds the configuration.
pub const CONFIG_KV: &str = "SLUICEGATE_CONFIG";
/// The name of the variable that says how long a text from KV is used before it is read again.
pub const CONFIG_TTL: &str = "SLUICEGATE_CONFIG_TTL";
/// The key of the configuration in the KV namespace.
pub const CONFIG_KEY: &str = "config";

impl ConfigSource {
    /// Finds the source. `variable` looks up a variable by name; `has_kv` is whether the Worker has the KV binding.
    ///
    /// # Errors
    /// Returns [`ConfigError`] if there is no source or more than one, or if the time to live is invalid.
    pub fn find(variable: impl Fn(&str) -> Option<String>, has_kv: bool) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (text, file, ttl) = (variable(CONFIG), variable(CONFIG_FILE), variable(CONFIG_TTL));
        let set: Vec<&str> = [(text.is_some(), CONFIG), (file.is_some(), CONFIG_FILE), (has_kv, CONFIG_KV)]
            .into_iter()
            .filter_map(|(is_set, name)| is_set.then_some(name))
            .collect();
        if let [first, second, ..] = set[..] {
            let problem =
                format!("is set together with {first} (the configuration has one source: remove one of them)");
            return Err(ConfigError::new(second, problem));
        }
        let source = match (file, has_kv) {
            (Some(name), _) => ConfigSource::File(name),
            (None, true) => return Ok(ConfigSource::Kv { ttl: ttl.map_or(Ok(DEFAULT_TTL), |text| parse_ttl(&text))? }),
            (None, false) if text.is_some() => ConfigSource::Variable,
            (None, false) => {
                let problem = format!("is not set (nor is {CONFIG_FILE}, and there is no KV binding {CONFIG_KV})");
                return Err(ConfigError::new(CONFIG, problem));
            }
        };
        if ttl.is_some() {
            let problem = format!("has no effect (only a configuration in the KV binding {CONFIG_KV} is read again)");
            return Err(ConfigError::new(CONFIG_TTL, problem));
        }
        Ok(source)
    }
}

/// The configuration in force, if it can be replaced while the Worker runs: when to look for a new one, and what came of it.
#[derive(Debug)]
pub struct Refresh {
    ttl: Millis,
    /// When the last attempt to read a text began.
    asked: Millis,
    /// The text in force.
    text: String,
    /// Why the text that was read last is not in force.
    rejected: Option<String>,
}

impl Refresh {
    /// Creates a refresh for a text that was read at `now` and is in force.
    #[must_use]
    pub fn new(ttl: Millis, text: String, now: Millis) -> Self {
        Refresh { ttl, asked: now, text, rejected: None }
    }

    /// Returns whether to read the text again, once per time to live: the caller that gets true does it.
    pub fn begin(&mut self, now: Millis) -> bool {
        let due = now >= self.asked.saturating_add(self.ttl) || now < self.asked;
        if due {
            self.asked = now;
        }
        due
    }

    /// Returns whether this text differs from the one in force. If it does not, an earlier rejection is over.
    pub fn differs(&mut self, text: &str) -> bool {
        let differs = self.text != text;
        if !differs {
            self.rejected = None;
        }
        differs
    }

    /// Puts a text in force.
    pub fn accept(&mut self, text: String) {
        self.text = text;
        self.rejected = None;
    }

    /// Leaves the last text in force. Returns whether the reason is a new one, which is worth a line in the log.
    pub fn reject(&mut self, reason: String) -> bool {
        let is_new = self.rejected.as_ref() != Some(&reason);
        self.rejected = Some(reason);
        is_new
    }

    /// Returns why the text that was read last is not in force.
    #[must_use]
    pub fn rejected(&self) -> Option<&str> {
        self.rejected.as_deref()
    }
}

fn parse_ttl(text: &str) -> Result<Millis, ConfigError> {
    let problem = |found: String| ConfigError::new(CONFIG_TTL, format!("expected {MIN_TTL} to {MAX_TTL}, {found}"));
    let ttl: Millis = text.parse().map_err(|_| problem(format!("found {text:?}")))?;
    if (MIN_TTL..=MAX_TTL).contains(&ttl) { Ok(ttl) } else { Err(problem(format!("found {ttl}"))) }
}

/// A change takes effect within this time and that of KV's own cache.
const DEFAULT_TTL: Millis = Millis::from_secs(60);

/// Each isolate reads the namespace this often, and each read is billed.
const MIN_TTL: Millis = Millis::from_secs(1);

/// A longer time would be no different from a deployment.
const MAX_TTL: Millis = Millis::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)], has_kv: bool) -> Result<ConfigSource, String> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        ConfigSource::find(variable, has_kv).map_err(|error| error.to_string())
    }

    #[test]
    fn there_is_exactly_one_source() {
        let (variable, file) = ((CONFIG, "{}"), (CONFIG_FILE, "sluicegate.toml"));
        assert_eq!(find(&[variable], false), Ok(ConfigSource::Variable));
        assert_eq!(find(&[file, (CONFIG, "")], false), Ok(ConfigSource::File("sluicegate.toml".to_owned())));
        assert_eq!(find(&[], true), Ok(ConfigSource::Kv { ttl: Millis::from_secs(60) }));
        let rest = "(the configuration has one source: remove one of them)";
        for (variables, has_kv, message) in [
            (&[variable, file][..], false, "SLUICEGATE_FILE: is set together with SLUICEGATE"),
            (&[variable], true, "SLUICEGATE_CONFIG: is set together with SLUICEGATE"),
            (&[file], true, "SLUICEGATE_CONFIG: is set together with SLUICEGATE_FILE"),
            (&[variable, file], true, "SLUICEGATE_FILE: is set together with SLUICEGATE"),
        ] {
            assert_eq!(find(variables, has_kv), Err(format!("{message} {rest}")));
        }
        let none = "SLUICEGATE: is not set (nor is SLUICEGATE_FILE, and there is no KV binding SLUICEGATE_CONFIG)";
        assert_eq!(find(&[], false), Err(none.to_owned()));
    }

    #[test]
    fn only_a_source_that_changes_has_a_time_to_live() {
        assert_eq!(find(&[(CONFIG_TTL, "5m")], true), Ok(ConfigSource::Kv { ttl: Millis::from_secs(300) }));
        for (ttl, found) in [("500ms", "500ms"), ("25h", "25h"), ("soon", "\"soon\"")] {
            let message = find(&[(CONFIG_TTL, ttl)], true).unwrap_err();
            assert!(message.starts_with("SLUICEGATE_CONFIG_TTL: expected ") && message.ends_with(found), "{message}");
        }
        let message = find(&[(CONFIG, "{}"), (CONFIG_TTL, "5m")], false).unwrap_err();
        assert!(message.starts_with("SLUICEGATE_CONFIG_TTL: has no effect"), "{message}");
    }

    #[test]
    fn one_request_reads_a_text_that_is_too_old() {
        let at = Millis::from_secs;
        let mut refresh = Refresh::new(at(60), "a".to_owned(), at(1000));
        assert!(!refresh.begin(at(1059)));
        assert!(refresh.begin(at(1060)));
        assert!(!refresh.begin(at(1060)) && !refresh.begin(at(1119)), "another request reads it");
        assert!(refresh.begin(at(1120)), "that request may have ended without a result");
        assert!(refresh.begin(at(1000)), "the clock was set back");
    }

    #[test]
    fn a_broken_text_never_replaces_one_in_force() {
        let mut refresh = Refresh::new(Millis::from_secs(60), "a".to_owned(), Millis::ZERO);
        assert!(!refresh.differs("a") && refresh.differs("b"));
        assert!(refresh.reject("b is broken".to_owned()), "the first time");
        assert!(refresh.differs("b") && !refresh.reject("b is broken".to_owned()));
        assert_eq!(refresh.rejected(), Some("b is broken"));
        assert!(refresh.reject("c is broken".to_owned()), "another reason");
        assert!(!refresh.differs("a") && refresh.rejected().is_none(), "the old text is back");
        assert!(refresh.reject("d is broken".to_owned()));
        refresh.accept("e".to_owned());
        assert!(!refresh.differs("e") && refresh.differs("a") && refresh.rejected().is_none());
    }
}
