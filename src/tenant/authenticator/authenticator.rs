//! Resolves an API key to its tenant, from the isolate's cache or else from Redis.
//!
//! A cached tenant costs no round trip. If its document is stale, it is used as it is, and the caller refreshes
//! it after the response ([`Authenticator::refresh`]). A key that the cached document does not have may be
//! newer than the document, so the document is read once for each such key. A client that tries too many
//! unknown keys is refused before Redis is called.

use std::cell::RefCell;
use std::sync::Arc;

use super::guess_limiter::{Denial, GuessLimiter};
use crate::config::Config;
use crate::limit::Subject;
use crate::redis::Transport;
use crate::tenant::api_key::ApiKey;
use crate::tenant::caller::Caller;
use crate::tenant::id::TenantId;
use crate::tenant::store::{CacheLookup, StoreError, TenantCache, TenantStore};
use crate::tenant::tenant::{KeyStatus, Tenant};
use crate::time::Millis;

/// Resolves API keys to tenants, and limits guessing. One per isolate.
#[derive(Debug)]
pub struct Authenticator {
    cache: RefCell<TenantCache>,
    guess_limiter: GuessLimiter,
    /// How long an unknown key is remembered as unknown.
    remember_for: Millis,
}

/// The result of resolving an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The key's tenant, or [`Caller::UnknownKey`].
    pub caller: Caller,
    /// Whether the caller must call [`Authenticator::refresh`] after the request: the tenant's document is
    /// stale.
    pub refresh: bool,
}

/// Why a key was not resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The client has tried too many unknown keys, and may retry after this time.
    #[error("too many unknown API keys from one client (retry after {0})")]
    TooManyGuesses(Millis),
    /// Too many lookups of the client are waiting for Redis.
    #[error("too many lookups of API keys from one client are waiting for redis")]
    TooManyLookups,
    /// The tenant could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthenticationError {
    /// Returns when Redis will be asked again, if that is known.
    #[must_use]
    pub fn retry(&self) -> Option<Millis> {
        match self {
            AuthenticationError::Store(StoreError::Redis(error)) => error.retry(),
            _ => None,
        }
    }
}

impl Authenticator {
    /// Creates an authenticator with an empty cache.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let cache = TenantCache::new(config.tenant_cache, config.tenant_ttl);
        Authenticator {
            cache: RefCell::new(cache),
            guess_limiter: GuessLimiter::default(),
            remember_for: config.tenant_ttl,
        }
    }

    /// Resolves `key`, sent by `client`, to its tenant.
    ///
    /// # Errors
    /// Returns an [`AuthenticationError`] if the client is over its limit, or if the tenant cannot be read.
    pub async fn authenticate<T: Transport>(
        &self,
        tenants: TenantStore<'_, T>,
        key: &ApiKey,
        client: &Subject,
        now: Millis,
    ) -> Result<Authentication, AuthenticationError> {
        let lookup = self.cache.borrow_mut().lookup(key.tenant(), now);
        let (cached, refresh, read_first) = match lookup {
            CacheLookup::Fresh(tenant) => (tenant, false, false),
            CacheLookup::Stale { value, refresh } => (value, refresh, false),
            CacheLookup::Expired { value, read_first } => (value, false, read_first),
            CacheLookup::Absent => (None, false, true),
        };
        let cached = cached.filter(|tenant| matches!(tenant.key_status(key, now), KeyStatus::Valid(_)));
        let caller = |tenant| Caller::Tenant(key.tenant().clone(), tenant);
        match cached {
            Some(tenant) if !read_first => return Ok(Authentication { caller: caller(tenant), refresh }),
            // A key that was unknown a moment ago is not looked up again.
            None if self.guess_limiter.is_known_wrong(&key.digest(), now) => {
                return Ok(Authentication { caller: Caller::UnknownKey, refresh });
            }
            _ => {}
        }
        let attempt = match self.guess_limiter.begin(client, now) {
            Ok(attempt) => attempt,
            Err(Denial::TooManyGuesses(wait)) => return Err(AuthenticationError::TooManyGuesses(wait)),
            Err(Denial::TooManyLookups) => return Err(AuthenticationError::TooManyLookups),
        };
        let read = match (self.refresh(tenants, key.tenant(), now).await, cached) {
            (Ok(read), _) => read,
            // An expired document is better than an error.
            (Err(_), Some(tenant)) => return Ok(Authentication { caller: caller(tenant), refresh: false }),
            (Err(error), None) => return Err(error.into()),
        };
        if let Some(tenant) = read
            && let KeyStatus::Valid(_) = tenant.key_status(key, now)
        {
            return Ok(Authentication { caller: caller(tenant), refresh: false });
        }
        attempt.failed(key.digest(), now, self.remember_for);
        Ok(Authentication { caller: Caller::UnknownKey, refresh: false })
    }

    /// Returns a tenant, from the cache or else from Redis, and whether the caller must call [`Authenticator::refresh`]
    /// afterwards because its document is stale.
    ///
    /// # Errors
    /// Fails if the tenant is not in the cache and cannot be read.
    pub async fn tenant<T: Transport>(
        &self,
        tenants: TenantStore<'_, T>,
        id: &TenantId,
        now: Millis,
    ) -> Result<(Option<Arc<Tenant>>, bool), StoreError> {
        let lookup = self.cache.borrow_mut().lookup(id, now);
        let cached = match lookup {
            CacheLookup::Fresh(tenant) => return Ok((tenant, false)),
            CacheLookup::Stale { value, refresh } => return Ok((value, refresh)),
            CacheLookup::Expired { value, read_first: false } => return Ok((value, false)),
            CacheLookup::Expired { value, read_first: true } => value,
            CacheLookup::Absent => None,
        };
        match (self.refresh(tenants, id, now).await, cached) {
            (Ok(tenant), _) => Ok((tenant, false)),
            // An expired document is better than an error.
            (Err(_), Some(tenant)) => Ok((Some(tenant), false)),
            (Err(error), None) => Err(error),
        }
    }

    /// Reads a tenant's document, caches it as of `now` without its metadata, to save memory, and returns it.
    ///
    /// # Errors
    /// Fails if Redis fails or the document is invalid. The cache then keeps its entry.
    pub async fn refresh<T: Transport>(
        &self,
        tenants: TenantStore<'_, T>,
        id: &TenantId,
        now: Millis,
    ) -> Result<Option<Arc<Tenant>>, StoreError> {
        let tenant = tenants.get(id).await?.map(|stored| stored.tenant.without_metadata());
        Ok(self.cache.borrow_mut().put(id, tenant, now))
    }

    /// Removes a tenant from the cache, because it has changed.
    pub fn forget(&self, id: &TenantId) {
        self.cache.borrow_mut().forget(id);
    }
}
