//! `sluicegate config …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Validate a configuration and put it into KV; Workers use it within about two minutes
    Push {
        /// The configuration: TOML, or JSON with comments
        file: PathBuf,
        #[command(flatten)]
        namespace: Namespace,
    },
    /// Print the configuration in KV as JSON
    Pull {
        #[command(flatten)]
        namespace: Namespace,
    },
    /// Compare a configuration with the one in KV; exits with 1 if they differ
    Diff {
        /// The configuration: TOML, or JSON with comments
        file: PathBuf,
        #[command(flatten)]
        namespace: Namespace,
    },
}

/// Where the KV namespace is. `npx wrangler` reads and writes it, with its own login.
#[derive(Debug, Args)]
pub(crate) struct Namespace {
    /// The wrangler configuration with the KV binding `SLUICEGATE_CONFIG`
    #[arg(long, value_name = "FILE", default_value = "wrangler.production.toml")]
    pub(crate) config: PathBuf,

    /// The environment of that configuration; "" is its top level
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// Use the storage of `wrangler dev` on this machine instead of Cloudflare's
    #[arg(long)]
    pub(crate) local: bool,

    /// The folder of that storage
    #[arg(long, value_name = "FOLDER", requires = "local")]
    pub(crate) persist_to: Option<PathBuf>,
}
