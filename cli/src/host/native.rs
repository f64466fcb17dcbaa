//! The operating system as the host.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use sluicegate::time::Millis;

use super::reply::{Reply, TIMEOUT, USER_AGENT};
use crate::failure::Failure;

/// Reads a file.
///
/// # Errors
/// Returns the system's message.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Writes a file.
///
/// # Errors
/// Returns the system's message.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| error.to_string())
}

/// Returns a variable of the environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Returns the current time.
#[expect(clippy::disallowed_methods, reason = "the program, not the core")]
pub(crate) fn now() -> Millis {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::new(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
}

/// Runs `npx wrangler` with these arguments and returns what it prints. A text is passed in a file, as `--path`,
/// because a command line is bounded.
pub(crate) async fn wrangler(arguments: &[String], text: Option<&str>) -> Result<String, Failure> {
    let file = text.map(|text| {
        let file = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(text.as_bytes()).map(|()| file));
        file.map_err(|error| Failure::Usage(format!("no temporary file can be written: {error}")))
    });
    let file = file.transpose()?;
    let mut command = tokio::process::Command::new("npx");
    command.arg("wrangler").args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    if let Some(file) = &file {
        command.arg("--path").arg(file.path());
    }
    command.env("WRANGLER_HIDE_BANNER", "true").env("WRANGLER_SEND_METRICS", "false");
    let output = command.output().await.map_err(|error| Failure::no_npx(&error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(Failure::of_wrangler(&text(&output.stdout), &text(&output.stderr)))
}

/// An HTTP client that follows no redirect.
pub(crate) struct Http(reqwest::Client);

impl Http {
    /// Creates a client.
    ///
    /// # Errors
    /// Fails if the system has no certificates or no random numbers.
    pub(crate) fn new() -> Result<Self, Failure> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(TIMEOUT)
            .user_agent(USER_AGENT);
        let problem = |error: reqwest::Error| format!("cannot create an HTTP client: {}", causes(&error));
        Ok(Http(builder.build().map_err(|error| Failure::NoAnswer(problem(error)))?))
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Returns the reason in words if there is no response.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Reply, String> {
        let problem = |error: reqwest::Error| causes(&error.without_url());
        let response = request.send().await.map_err(problem)?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Reply { status, headers, body: response.bytes().await.map_err(problem)?.to_vec() })
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
