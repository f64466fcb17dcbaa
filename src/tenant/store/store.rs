//! The tenants of one Redis.

use crate::redis::Transport;
use crate::redis::script::Spelling;
use crate::tenant::id::TenantId;

/// The tenants of one Redis.
#[derive(Debug)]
pub struct Tenants<'a, T> {
    pub(super) transport: &'a T,
    pub(super) spelling: Spelling,
}

/// Not derived: it is copied whatever the transport is.
impl<T> Clone for Tenants<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Tenants<'_, T> {}

impl<'a, T: Transport> Tenants<'a, T> {
    /// The tenants that `transport` leads to.
    pub fn new(transport: &'a T, spelling: Spelling) -> Self {
        Tenants { transport, spelling }
    }
}

/// The key of a tenant's document.
pub(super) fn key(id: &TenantId) -> String {
    format!("sg:1:{{{id}}}:tenant")
}

/// The key of the index. It has no hash tag: it belongs to no tenant.
pub(super) const KEY: &str = "sg:1:tenants";
