//! `sluicegate check`.

use clap::{ArgGroup, Args};
use serde_json::Value;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("who").required(true).args(["tenant", "subject"])), after_help = HELP)]
pub(crate) struct Check {
    /// Ask for this tenant, by its own plan unless another one is named
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,

    /// Ask for any subject, for example a user of yours; needs --plan or --limits
    #[arg(long, value_name = "TEXT", requires = "rules")]
    pub(crate) subject: Option<String>,

    /// Judge by this plan
    #[arg(long, group = "rules")]
    pub(crate) plan: Option<String>,

    /// Judge by these limits, written as in the configuration: a JSON array
    #[arg(long, value_name = "JSON", group = "rules", value_parser = array)]
    pub(crate) limits: Option<Value>,

    /// How many units to take
    #[arg(long, value_name = "UNITS", default_value_t = 1)]
    pub(crate) cost: u64,

    /// Only look, take nothing
    #[arg(long)]
    pub(crate) peek: bool,

    /// The lease to hold where a concurrency limit applies
    #[arg(long, value_name = "ID")]
    pub(crate) lease: Option<String>,
}

fn array(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::Array(limits)) => Ok(Value::Array(limits)),
        Ok(_) => Err("expected a JSON array".to_owned()),
        Err(error) => Err(format!("expected a JSON array: {error}")),
    }
}

const HELP: &str = r#"For example:
  sluicegate check --tenant acme --peek
  sluicegate check --subject login:ada \
    --limits '[{ "name": "minute", "algorithm": "sliding_log", "limit": 5, "window": "1m" }]'"#;
