//! The command line and the environment of `wrangler dev`.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::{error::WorkerError, group::Environment, options::WorkerOptions};

/// The command that runs wrangler for one Worker.
pub(super) struct WranglerDev {
    pub(super) command: Vec<OsString>,
    pub(super) environment: Environment,
}

/// Builds the command; wrangler and workerd write only below `scratch`.
pub(super) fn wrangler_dev(options: &WorkerOptions, port: u16, scratch: &Path) -> Result<WranglerDev, WorkerError> {
    let tools = options.root.join("node_modules/.bin");
    let wrangler = options.wrangler.clone().unwrap_or_else(|| tools.join("wrangler"));
    if !wrangler.exists() {
        return Err(WorkerError::NoWrangler { path: wrangler });
    }
    let mut command: Vec<OsString> = vec![
        wrangler.into(),
        "dev".into(),
        "--config".into(),
        options.config.clone().into(),
        "--ip".into(),
        "127.0.0.1".into(),
        "--port".into(),
        port.to_string().into(),
        "--inspector-ip".into(),
        "127.0.0.1".into(),
        "--inspector-port".into(),
        "0".into(),
        "--persist-to".into(),
        scratch.join(STATE).into(),
        "--show-interactive-dev-session=false".into(),
    ];
    for config in &options.more {
        command.extend(["--config".into(), config.clone().into()]);
    }
    if let Some(upstream) = options.upstream {
        command.extend(["--local-upstream", &upstream.to_string(), "--upstream-protocol", "http"].map(Into::into));
    }
    if let Some(file) = &options.env_file {
        command.extend(["--env-file".into(), file.clone().into()]);
    }
    for (name, value) in &options.vars {
        command.extend(["--var".into(), format!("{name}:{value}").into()]);
    }
    Ok(WranglerDev { command, environment: environment(options, &tools, scratch)? })
}

/// Builds an environment in which wrangler does not prompt, report, update itself, or write to the user's home.
fn environment(options: &WorkerOptions, tools: &Path, scratch: &Path) -> Result<Environment, WorkerError> {
    let fixed = [
        ("CI", "true"),
        ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
        ("WRANGLER_HIDE_BANNER", "true"),
        ("WRANGLER_SEND_METRICS", "false"),
        ("WRANGLER_SEND_ERROR_REPORTS", "false"),
        ("WRANGLER_WRITE_LOGS", "false"),
    ];
    let folders = [
        ("TMPDIR", "tmp"),
        ("WRANGLER_CACHE_DIR", "cache"),
        ("WRANGLER_LOG_PATH", "logs"),
        ("WRANGLER_REGISTRY_PATH", "registry"),
        ("XDG_CONFIG_HOME", "config"),
    ];
    // These would add bindings or select another environment than the configuration says.
    let removed = ["CLOUDFLARE_ENV", "CLOUDFLARE_INCLUDE_PROCESS_ENV"];

    let mut environment: Environment = vec![("PATH".into(), Some(path_with(tools)?))];
    environment.extend(fixed.map(|(name, value)| (name.into(), Some(value.into()))));
    environment.extend(folders.map(|(name, folder)| (name.into(), Some(scratch.join(folder).into()))));
    environment.extend(removed.map(|name| (name.into(), None)));
    let own = options.environment.iter().map(|(name, value)| (name.into(), Some(value.into())));
    environment.extend(own);
    Ok(environment)
}

/// The folder of the local storage, below the scratch folder.
pub(super) const STATE: &str = "state";

/// Returns the search path with `tools` first, because wrangler needs the Node installed there.
fn path_with(tools: &Path) -> Result<OsString, WorkerError> {
    let rest = env::var_os("PATH").unwrap_or_else(|| OsStr::new("/usr/bin:/bin").to_owned());
    let folders = std::iter::once(PathBuf::from(tools)).chain(env::split_paths(&rest));
    env::join_paths(folders).map_err(|_| WorkerError::OddPath { path: tools.to_owned() })
}
