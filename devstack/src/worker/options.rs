//! What a Worker is run with.

use std::{path::PathBuf, time::Duration};

/// What to run and how.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The repository: its `node_modules` has wrangler, and a `[build]` command runs there.
    pub root: PathBuf,
    /// wrangler's configuration file.
    pub config: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Variables that win over the configuration and over `env_file`. Everybody on the machine can read them.
    pub vars: Vec<(String, String)>,
    /// A file of secrets, instead of `.dev.vars` beside the configuration.
    pub env_file: Option<PathBuf>,
    /// More environment variables for wrangler and the `[build]` command.
    pub environment: Vec<(String, String)>,
    /// How long building and starting may take.
    pub patience: Duration,
}

impl WorkerOptions {
    /// Runs the configuration at `config` with the tools of the repository at `root`, on a free port.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, config: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            config: config.into(),
            port: 0,
            vars: Vec::new(),
            env_file: None,
            environment: Vec::new(),
            patience: Duration::from_mins(2),
        }
    }
}
