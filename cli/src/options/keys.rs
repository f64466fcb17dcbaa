//! `sluicegate keys …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List a tenant's keys by their ids; a key itself is shown only when it is created
    List {
        /// The tenant's id
        tenant: String,
    },
    /// Create a key and show it once; the tenant's other keys stay valid
    Create {
        /// The tenant's id
        tenant: String,
        /// When the key expires, for example 2027-01-01T00:00:00Z [default: never]
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
