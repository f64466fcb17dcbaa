//! What can come instead of a tenant.

use super::stored::Unreadable;
use crate::redis::RedisError;

/// Why a tenant cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Redis has not answered, or not as it should.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// There is a document, and it is none: somebody has written it by hand.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The index has a member that is no tenant's id.
    #[error(
        "the index of tenants ({}) has a member that is no tenant's id: {member:?} (remove it with ZREM)",
        super::store::KEY
    )]
    Index {
        /// The member.
        member: String,
    },
}
