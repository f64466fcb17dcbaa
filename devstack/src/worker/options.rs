//! The options of a Worker.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The folder in which wrangler and a `[build]` command run.
    pub root: PathBuf,
    /// The program `wrangler`; without it, the one in the `node_modules` of the root.
    pub wrangler: Option<PathBuf>,
    /// wrangler's configuration file.
    pub config: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Variables that override the configuration and `env_file`. Every user of the machine can read them.
    pub vars: Vec<(String, String)>,
    /// A file of secrets, used instead of the `.dev.vars` next to the configuration.
    pub env_file: Option<PathBuf>,
    /// More environment variables for wrangler and the `[build]` command.
    pub environment: Vec<(String, String)>,
    /// Configuration files of more Workers, to which service bindings of the first may lead.
    pub more: Vec<PathBuf>,
    /// The host of the URLs that the Worker sees, so that a fetch of its own URL leads there; without it, to itself.
    pub upstream: Option<SocketAddr>,
    /// How long building and starting may take together.
    pub patience: Duration,
}

impl WorkerOptions {
    /// Creates options that run the configuration at `config` with the tools of the repository at `root`, on a free
    /// port.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, config: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            wrangler: None,
            config: config.into(),
            port: 0,
            vars: Vec::new(),
            env_file: None,
            environment: Vec::new(),
            more: Vec::new(),
            upstream: None,
            patience: Duration::from_mins(2),
        }
    }
}
