//! What can come instead of a tenant.

use super::Version;
use crate::redis::RedisError;
use crate::tenant::{Invalid, TenantId};

/// Why a tenant cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantsError {
    /// Redis has not answered, or not as it should.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// There is a document, and it is none: somebody has written it by hand.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The index has a member that is no tenant's id.
    #[error(
        "the index of tenants ({}) has a member that is no tenant's id: {member:?} (remove it with ZREM)",
        super::index::KEY
    )]
    Index {
        /// The member.
        member: String,
    },
}

/// A document that cannot be read. It is not the same as no document: a tenant of whom nothing can be said is
/// not an unknown one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document of tenant {id} cannot be read: {problem}")]
pub struct Unreadable {
    /// Whose it is.
    pub id: TenantId,
    /// What is wrong with it.
    pub problem: Invalid,
    pub(super) text: String,
}

impl Unreadable {
    /// The version that was read, to replace or delete it.
    #[must_use]
    pub fn version(&self) -> Version<'_> {
        Version { id: &self.id, text: &self.text }
    }
}
