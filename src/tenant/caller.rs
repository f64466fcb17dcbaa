//! The sender of a request.

use std::sync::Arc;

use super::id::TenantId;
use super::tenant::Tenant;
use crate::jwt::Identity;

/// The sender of a request, identified by its API key or its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The request has neither, or none that matters.
    Anonymous,
    /// The API key belongs to no tenant.
    UnknownKey,
    /// The API key belongs to this tenant.
    Tenant(TenantId, Arc<Tenant>),
    /// The token is valid and names this subject.
    Subject(Identity),
}
