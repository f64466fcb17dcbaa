//! Why a tenant could not be read or changed.

use super::stored::Unreadable;
use crate::redis::RedisError;

/// A failure of the tenant store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The document is invalid, for example because somebody edited it by hand.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The index has a member that is not a tenant id.
    #[error(
        "the index of tenants ({}) has a member that is not a tenant id: {member:?} (remove it with ZREM)",
        super::store::INDEX_KEY
    )]
    Index {
        /// The member.
        member: String,
    },
}
