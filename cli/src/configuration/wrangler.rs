//! Reads and writes the KV namespace with wrangler, which has the login.

use sluicegate::config::source::{CONFIG_KEY, CONFIG_KV};

use crate::failure::Failure;
use crate::host;
use crate::options::Namespace;

/// Writes the configuration.
pub(super) async fn put(namespace: &Namespace, text: &str) -> Result<(), Failure> {
    host::wrangler(&arguments(namespace, "put"), Some(text)).await.map(drop)
}

/// Reads the configuration.
pub(super) async fn get(namespace: &Namespace) -> Result<String, Failure> {
    let mut arguments = arguments(namespace, "get");
    arguments.push("--text".to_owned());
    let text = host::wrangler(&arguments, None).await?;
    if text == "Value not found" {
        return Err(Failure::NoAnswer(format!(
            "the namespace {CONFIG_KV} has no key {CONFIG_KEY:?} (run `sluicegate config push FILE`)"
        )));
    }
    Ok(text)
}

fn arguments(namespace: &Namespace, operation: &str) -> Vec<String> {
    let config = namespace.config.to_string_lossy();
    let place = if namespace.local { "--local" } else { "--remote" };
    let mut arguments: Vec<&str> =
        vec!["kv", "key", operation, CONFIG_KEY, "--binding", CONFIG_KV, "--config", &config, place];
    arguments.extend(namespace.env.iter().flat_map(|name| ["--env", name]));
    let folder = namespace.persist_to.as_ref().map(|folder| folder.to_string_lossy());
    arguments.extend(folder.iter().flat_map(|folder| ["--persist-to", folder]));
    arguments.into_iter().map(str::to_owned).collect()
}
