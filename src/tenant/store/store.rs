//! The client of the tenant store, and the keys it uses.

use crate::limiter::Limiter;
use crate::redis::Transport;
use crate::redis::script::Dialect;
use crate::tenant::id::TenantId;

/// The tenants in one Redis.
#[derive(Debug)]
pub struct TenantStore<'a, T> {
    pub(super) transport: &'a T,
    pub(super) dialect: Dialect,
}

/// Not derived: a derived `Clone` would require `T: Clone`.
impl<T> Clone for TenantStore<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TenantStore<'_, T> {}

impl<'a, T: Transport> TenantStore<'a, T> {
    /// Creates a store on the Redis that `transport` reaches.
    pub fn new(transport: &'a T, dialect: Dialect) -> Self {
        TenantStore { transport, dialect }
    }

    /// Creates a store on the Redis of a limiter.
    pub fn of(limiter: &'a Limiter<T>) -> Self {
        TenantStore::new(limiter.transport(), limiter.dialect())
    }
}

/// Returns the key of a tenant's document.
pub(super) fn document_key(id: &TenantId) -> String {
    format!("sg:1:{{{id}}}:tenant")
}

/// The key of the index. It has no hash tag because it does not belong to a tenant.
pub(super) const INDEX_KEY: &str = "sg:1:tenants";
