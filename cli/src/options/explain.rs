//! `sluicegate explain`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Explain {
    /// The method
    pub(crate) method: String,

    /// The path, with the query if there is one
    pub(crate) path: String,

    /// A header of the request; repeat it for each. @FILE reads one from each line of a file
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,

    /// The client's country, as two capitals
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,

    /// The number of the client's network
    #[arg(long, value_name = "NUMBER")]
    pub(crate) asn: Option<u32>,

    /// The file that has the body
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,

    /// Explain by this file instead of a running Worker, as `validate` reads it; needs no network
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The environment of that file, the section `[env.NAME]` [default: the top level]
    #[arg(long, value_name = "NAME", requires = "config")]
    pub(crate) env: Option<String>,

    /// The plan of the API key's tenant, which is not in that file [default: the default plan]
    #[arg(long, requires = "config")]
    pub(crate) plan: Option<String>,
}

const HELP: &str = r"Exits with 1 if the request would be refused before its limits are checked.

An argument can be read by other users of the machine: put a header with an API key into a file.

Examples:
  sluicegate explain GET /search?q=x --address 203.0.113.7
  sluicegate explain POST /v1/chat -H @key.txt -H 'content-type: application/json' --body chat.json
  sluicegate explain POST /v1/chat --config wrangler.toml --body chat.json";
