//! `sluicegate tenants …`.

use std::str::FromStr;

use clap::{ArgGroup, Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// List tenants, sorted by id
    List(List),
    /// Create a tenant
    Create(Create),
    /// Show a tenant
    Show {
        /// The tenant's id
        tenant: String,
    },
    /// Update a tenant; everything that you do not name stays as it is
    Update(Update),
    /// Delete a tenant; its keys become invalid
    Delete {
        /// The tenant's id
        tenant: String,
        /// Fail if the tenant has changed: if its `etag`, which `tenants show` prints, is not this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List only ids after this one
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,

    /// The maximum number of tenants to list [default: all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The new tenant's id: 1 to 64 of a-z 0-9 - .
    pub(crate) tenant: String,

    /// The name of a plan in the configuration
    #[arg(long)]
    pub(crate) plan: String,

    /// Create the tenant suspended: its requests are refused until you activate it
    #[arg(long)]
    pub(crate) suspended: bool,

    /// Override a limit of the plan, forever or until a time; may be repeated
    #[arg(long = "limit", value_name = LIMIT)]
    pub(crate) limits: Vec<LimitOverride>,

    /// Store a note on the tenant; may be repeated
    #[arg(long = "metadata", value_name = ASSIGNMENT)]
    pub(crate) metadata: Vec<Assignment>,
}

#[derive(Debug, Args)]
#[command(after_help = UPDATE_HELP, override_usage = UPDATE_USAGE, group(ArgGroup::new("change").required(true).multiple(true).args([
    "plan", "suspend", "activate", "limits", "no_limits", "metadata", "no_metadata",
])))]
pub(crate) struct Update {
    /// The tenant's id
    pub(crate) tenant: String,

    /// Move the tenant to this plan
    #[arg(long)]
    pub(crate) plan: Option<String>,

    /// Suspend the tenant: refuse its requests
    #[arg(long, conflicts_with = "activate")]
    pub(crate) suspend: bool,

    /// Activate the tenant: accept its requests again
    #[arg(long)]
    pub(crate) activate: bool,

    /// Override a limit of the plan, forever or until a time; may be repeated
    #[arg(long = "limit", value_name = LIMIT)]
    pub(crate) limits: Vec<LimitOverride>,

    /// Remove the override of this limit; may be repeated
    #[arg(long = "no-limit", value_name = "NAME")]
    pub(crate) no_limits: Vec<String>,

    /// Store a note on the tenant; may be repeated
    #[arg(long = "metadata", value_name = ASSIGNMENT)]
    pub(crate) metadata: Vec<Assignment>,

    /// Remove the note with this key; may be repeated
    #[arg(long = "no-metadata", value_name = "KEY")]
    pub(crate) no_metadata: Vec<String>,

    /// Fail if the tenant has changed: if its `etag`, which `tenants show` prints, is not this one
    #[arg(long, value_name = "ETAG")]
    pub(crate) if_match: Option<String>,
}

/// An override of a limit of the plan: `NAME=LIMIT[:BURST][@UNTIL]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitOverride {
    pub(crate) name: String,
    pub(crate) limit: u64,
    pub(crate) burst: Option<u64>,
    /// An RFC 3339 timestamp. The Worker validates it.
    pub(crate) until: Option<String>,
}

/// A note: `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for LimitOverride {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, quota) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(expected_limit)?;
        let (quota, until) = match quota.split_once('@') {
            Some((_, "")) => return Err(expected_limit()),
            Some((quota, until)) => (quota, Some(until.to_owned())),
            None => (quota, None),
        };
        let (limit, burst) = match quota.split_once(':') {
            Some((limit, burst)) => (limit, Some(number(burst)?)),
            None => (quota, None),
        };
        Ok(LimitOverride { name: name.to_owned(), limit: number(limit)?, burst, until })
    }
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Assignment { key: key.to_owned(), value: value.to_owned() }),
            _ => Err(format!("expected {ASSIGNMENT}")),
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{}, found {text:?} instead of a number", expected_limit()))
}

fn expected_limit() -> String {
    format!("expected {LIMIT}, for example day=5000@2026-12-01T00:00:00Z")
}

const LIMIT: &str = "NAME=LIMIT[:BURST][@UNTIL]";
const ASSIGNMENT: &str = "KEY=VALUE";

const UPDATE_USAGE: &str = "sluicegate tenants update [OPTIONS] <TENANT>";
const UPDATE_HELP: &str = "\
5000 a day until December 1, then the quota of the plan again:
  sluicegate tenants update acme --limit day=5000@2026-12-01T00:00:00Z
A token bucket with a limit of 50 and a burst of 100:
  sluicegate tenants update acme --limit burst=50:100";

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Result<(String, u64, Option<u64>, Option<String>), String> {
        text.parse().map(|LimitOverride { name, limit, burst, until }| (name, limit, burst, until))
    }

    #[test]
    fn limits_are_parsed() {
        let day = || "day".to_owned();
        assert_eq!(limit("day=5000"), Ok((day(), 5000, None, None)));
        assert_eq!(limit("day=50:100"), Ok((day(), 50, Some(100), None)));
        let until = "2026-12-01T00:00:00+01:00";
        assert_eq!(limit(&format!("day=5000@{until}")), Ok((day(), 5000, None, Some(until.to_owned()))));
        assert_eq!(limit(&format!("day=5:6@{until}")), Ok((day(), 5, Some(6), Some(until.to_owned()))));
    }

    #[test]
    fn invalid_limits_explain_the_syntax() {
        for text in ["day", "=5", "day=", "day=many", "day=5:", "day=-1", "day=5@"] {
            let message = limit(text).unwrap_err();
            assert!(message.starts_with("expected NAME=LIMIT[:BURST][@UNTIL], for example day=5000@"), "{message}");
        }
    }

    #[test]
    fn key_ends_at_the_first_equals_sign() {
        let assignment = |text: &str| text.parse::<Assignment>().map(|a| (a.key, a.value));
        assert_eq!(assignment("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(assignment("a="), Ok(("a".to_owned(), String::new())));
        assert_eq!(assignment("=b"), Err("expected KEY=VALUE".to_owned()));
        assert_eq!(assignment("a"), Err("expected KEY=VALUE".to_owned()));
    }
}
