//! The tenants of one Redis.

use crate::redis::Transport;
use crate::redis::script::Dialect;
use crate::tenant::id::TenantId;

/// The tenants of one Redis.
#[derive(Debug)]
pub struct TenantStore<'a, T> {
    pub(super) transport: &'a T,
    pub(super) dialect: Dialect,
}

/// Not derived: it is copied whatever the transport is.
impl<T> Clone for TenantStore<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TenantStore<'_, T> {}

impl<'a, T: Transport> TenantStore<'a, T> {
    /// The tenants that `transport` leads to.
    pub fn new(transport: &'a T, dialect: Dialect) -> Self {
        TenantStore { transport, dialect }
    }
}

/// The key of a tenant's document.
pub(super) fn key(id: &TenantId) -> String {
    format!("sg:1:{{{id}}}:tenant")
}

/// The key of the index. It has no hash tag: it belongs to no tenant.
pub(super) const KEY: &str = "sg:1:tenants";
