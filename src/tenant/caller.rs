//! Who sent a request.

use std::sync::Arc;

use super::id::TenantId;
use super::tenant::Tenant;

/// Whose request it is, as far as its API key tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// It has none.
    Anonymous,
    /// It has one that is no tenant's.
    UnknownKey,
    /// A tenant's.
    Tenant(TenantId, Arc<Tenant>),
}
