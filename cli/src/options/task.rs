//! The commands that only the npm package has. Its JavaScript executes them.

#![expect(clippy::doc_markdown, reason = "the help of the program is plain text")]

use clap::Subcommand;
use serde::Serialize;

/// A command that JavaScript executes.
#[derive(Debug, Subcommand, Serialize)]
#[serde(tag = "command", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Task {
    /// Write a wrangler.toml and what belongs to it into this folder
    Init {
        /// Replace files that exist
        #[arg(long)]
        force: bool,
    },
    /// Run everything on this machine: Redis, its bridge, a demo origin and the Worker. With UPSTASH_REDIS_REST_URL
    /// in .dev.vars, only the Worker
    Dev {
        /// wrangler's configuration file [default: wrangler.toml]
        #[arg(long, value_name = "FILE")]
        config: Option<String>,
        /// Port of the Worker [default: PORT or 8787]
        #[arg(long)]
        port: Option<u16>,
        /// Port of the bridge [default: REST_PORT or 8079]
        #[arg(long)]
        rest_port: Option<u16>,
        /// Port of the demo origin [default: ORIGIN_PORT or 9000]
        #[arg(long)]
        origin_port: Option<u16>,
    },
}
