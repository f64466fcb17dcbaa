//! `sluicegate keys …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List a tenant's keys; a key itself is never shown again
    List {
        /// The tenant's id
        tenant: String,
    },
    /// Create a key and show it, this once; the tenant's other keys stay valid
    Create {
        /// The tenant's id
        tenant: String,
        /// When it ends, for example 2027-01-01T00:00:00Z [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Revoke a key
    Revoke {
        /// The tenant's id
        tenant: String,
        /// The key's id, as `list` prints it
        key: String,
    },
}
