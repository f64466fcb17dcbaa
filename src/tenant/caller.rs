//! The sender of a request.

use std::sync::Arc;

use super::id::TenantId;
use super::tenant::Tenant;

/// The sender of a request, identified by its API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The request has no API key.
    Anonymous,
    /// The API key belongs to no tenant.
    UnknownKey,
    /// The API key belongs to this tenant.
    Tenant(TenantId, Arc<Tenant>),
}
