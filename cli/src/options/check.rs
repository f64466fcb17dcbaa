//! `sluicegate check`.

use clap::{ArgGroup, Args};
use serde_json::Value;

use super::subjects::Subjects;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("who").required(true).args(["tenant", "subject"])), after_help = HELP)]
pub(crate) struct Check {
    /// Check this tenant, by its own plan unless --plan or --limits is given
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,

    /// Check any subject that has a quota, for example one of your users; needs --plan or --limits
    #[arg(long, value_name = "TEXT", requires = "rules")]
    pub(crate) subject: Option<String>,

    /// Apply the limits of this plan of the configuration
    #[arg(long, group = "rules")]
    pub(crate) plan: Option<String>,

    /// Apply these limits: a JSON array, with the fields of the configuration
    #[arg(long, value_name = "JSON", group = "rules", value_parser = array)]
    pub(crate) limits: Option<Value>,

    /// The units that the request costs
    #[arg(long, value_name = "UNITS", default_value_t = 1)]
    pub(crate) cost: u64,

    /// Show the verdict without charging anything
    #[arg(long)]
    pub(crate) peek: bool,

    /// The id of the lease that a concurrency limit grants, for example a request id
    #[arg(long, value_name = "ID")]
    pub(crate) lease: Option<String>,

    #[command(flatten)]
    pub(crate) subjects: Subjects,
}

fn array(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::Array(limits)) => Ok(Value::Array(limits)),
        Ok(_) => Err("expected a JSON array".to_owned()),
        Err(error) => Err(format!("expected a JSON array: {error}")),
    }
}

const HELP: &str = r#"Examples:
  sluicegate check --tenant acme --peek
  sluicegate check --tenant acme --by header:x-user=ada
  sluicegate check --subject login:ada \
    --limits '[{ "name": "minute", "algorithm": "sliding_log", "limit": 5, "window": "1m" }]'"#;
