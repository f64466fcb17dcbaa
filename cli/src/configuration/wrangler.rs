//! Reads and writes the KV namespace with wrangler, which has the login.

use std::io::Write;
use std::process::Stdio;

use sluicegate::config::source::{CONFIG_KEY, CONFIG_KV};
use tokio::process::Command;

use crate::failure::Failure;
use crate::options::Namespace;

/// Writes the configuration.
pub(super) async fn put(namespace: &Namespace, text: &str) -> Result<(), Failure> {
    // In a file, because a command line is bounded.
    let file = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(text.as_bytes()).map(|()| file));
    let file = file.map_err(|error| Failure::Usage(format!("no temporary file can be written: {error}")))?;
    let mut command = command(namespace, "put");
    command.arg("--path").arg(file.path());
    run(command).await.map(drop)
}

/// Reads the configuration.
pub(super) async fn get(namespace: &Namespace) -> Result<String, Failure> {
    let mut command = command(namespace, "get");
    command.arg("--text");
    let text = run(command).await?;
    if text.trim() == "Value not found" {
        return Err(Failure::NoAnswer(format!(
            "the namespace {CONFIG_KV} has no key {CONFIG_KEY:?} (run `sluicegate config push FILE`)"
        )));
    }
    Ok(text)
}

fn command(namespace: &Namespace, operation: &str) -> Command {
    let mut command = Command::new("npx");
    command.args(["wrangler", "kv", "key", operation, CONFIG_KEY, "--binding", CONFIG_KV, "--config"]);
    command.arg(&namespace.config);
    command.args(namespace.env.iter().flat_map(|name| ["--env", name]));
    command.arg(if namespace.local { "--local" } else { "--remote" });
    if let Some(folder) = &namespace.persist_to {
        command.arg("--persist-to").arg(folder);
    }
    command.env("WRANGLER_HIDE_BANNER", "true").env("WRANGLER_SEND_METRICS", "false");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs wrangler and returns what it prints.
async fn run(mut command: Command) -> Result<String, Failure> {
    let output = command.output().await.map_err(|error| {
        Failure::Usage(format!(
            "npx cannot be run: {error} (install Node.js, and run `npm ci` where wrangler is pinned)"
        ))
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    Err(Failure::NoAnswer(format!("wrangler failed: {}", if err.is_empty() { out } else { err })))
}
