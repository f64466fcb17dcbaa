//! The configurations in `examples/`, each started as it stands, with local servers in place of those that it names.

mod clients;
mod costs;
mod identities;
mod origins;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use sluicegate_devstack::{Options, OriginKind, Stack};

/// An example, ready to be changed for this machine and started.
struct Example {
    text: String,
    options: Options,
}

impl Example {
    fn read(name: &str) -> Self {
        let path = folder().join(name).with_extension("toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Example { text, options: Options::default() }
    }

    /// Replaces a text that the example must have.
    fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.text.contains(from), "the example does not have {from:?}");
        self.text = self.text.replace(from, to);
        self
    }

    fn origin(mut self, origin: OriginKind) -> Self {
        self.options.origin = origin;
        self
    }

    fn secret(mut self, name: &str, value: &str) -> Self {
        self.options.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the Worker with the variable `SLUICEGATE` of the example.
    async fn start(mut self) -> Stack {
        let file: Value = toml::from_str(&self.text).unwrap();
        let mut sluicegate = file["vars"]["SLUICEGATE"].clone();
        // A slow machine must not look like an outage.
        sluicegate["timeout"] = json!("30s");
        self.options.sluicegate = Some(sluicegate);
        Stack::start(self.options).await.expect("the stack starts")
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
}

/// Every example has a test, and its line in the list of all.
#[test]
fn every_example_is_listed_and_tested() {
    let list = fs::read_to_string(folder().join("README.md")).unwrap();
    let tests = [
        include_str!("clients.rs"),
        include_str!("costs.rs"),
        include_str!("identities.rs"),
        include_str!("origins.rs"),
    ]
    .concat();
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    for file in files.iter().filter_map(|file| file.to_str().unwrap().strip_suffix(".toml")) {
        assert!(list.contains(&format!("[{file}.toml]({file}.toml)")), "{file} is not in examples/README.md");
        assert!(tests.contains(&format!("Example::read(\"{file}\")")), "{file} has no test");
    }
}
