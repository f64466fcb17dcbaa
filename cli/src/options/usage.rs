//! `sluicegate usage` and `sluicegate refund`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// The tenant's id
    pub(crate) tenant: String,

    /// How many of the days before today to list, 90 at most
    #[arg(long, value_name = "COUNT", default_value_t = 14)]
    pub(crate) days: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Refund {
    /// The tenant's id
    pub(crate) tenant: String,

    /// How many units
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) units: u64,

    /// What the refund is for, in your words: the same text refunds only once, however often it is sent
    #[arg(long, value_name = "ID")]
    pub(crate) request: String,

    /// When the units were charged, for example 2026-11-22T10:00:00Z [default: a minute ago]
    #[arg(long, value_name = "TIME")]
    pub(crate) charged_at: Option<String>,
}
