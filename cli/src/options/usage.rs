//! `sluicegate usage` and `sluicegate refund`.

use clap::Args;

use super::subjects::Subjects;

#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// The tenant's id
    pub(crate) tenant: String,

    /// The number of previous days to list, at most 90
    #[arg(long, value_name = "COUNT", default_value_t = 14)]
    pub(crate) days: usize,

    #[command(flatten)]
    pub(crate) subjects: Subjects,
}

#[derive(Debug, Args)]
pub(crate) struct Refund {
    /// The tenant's id
    pub(crate) tenant: String,

    /// The number of units to give back
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) units: u64,

    /// Your id of this refund, for example a ticket: the same id is refunded only once, so you can safely retry
    #[arg(long, value_name = "ID")]
    pub(crate) request: String,

    /// When the units were charged, for example 2026-11-22T10:00:00Z [default: a minute ago]
    #[arg(long, value_name = "TIME")]
    pub(crate) charged_at: Option<String>,

    #[command(flatten)]
    pub(crate) subjects: Subjects,
}
