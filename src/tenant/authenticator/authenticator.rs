//! Tells whose an API key is: from the tenants that the isolate remembers, else from Redis.
//!
//! A known tenant costs no round trip. One that was read a while ago is served as it was while the caller refreshes it
//! ([`Authenticator::refresh`]) after the answer. A key that the remembered document does not know may be newer than it: the
//! document is read once for each such key. Whoever shows wrong keys is held up before Redis is asked.

use std::cell::RefCell;
use std::sync::Arc;

use super::guess_limiter::{GuessLimiter, Held};
use crate::config::Config;
use crate::limit::Subject;
use crate::redis::Transport;
use crate::tenant::api_key::ApiKey;
use crate::tenant::caller::Caller;
use crate::tenant::id::TenantId;
use crate::tenant::store::{CacheLookup, StoreError, TenantCache, TenantStore};
use crate::tenant::tenant::{KeyStatus, Tenant};
use crate::time::Millis;

/// What an isolate knows of tenants.
#[derive(Debug)]
pub struct Authenticator {
    cache: RefCell<TenantCache>,
    guesses: GuessLimiter,
    /// How long a wrong key is remembered.
    memory: Millis,
}

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The tenant, or nobody.
    pub caller: Caller,
    /// The tenant's document is old: read it anew, after the request.
    pub refresh: bool,
}

/// Why it cannot be told whose a key is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The client has shown too many wrong keys, and may ask again after this time.
    #[error("too many unknown API keys from one client (it may ask again after {0})")]
    TooManyGuesses(Millis),
    /// So many questions of the client wait for Redis that it was not asked.
    #[error("too many API keys of one client wait to be looked up")]
    TooManyLookups,
    /// The tenant cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authenticator {
    /// A directory that knows nobody yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let cache = TenantCache::new(config.tenant_cache, config.tenant_ttl);
        Authenticator { cache: RefCell::new(cache), guesses: GuessLimiter::default(), memory: config.tenant_ttl }
    }

    /// Finds the tenant of `key`, which `client` shows.
    ///
    /// # Errors
    /// A [`AuthenticationError`].
    pub async fn find<T: Transport>(
        &self,
        tenants: TenantStore<'_, T>,
        key: &ApiKey,
        client: &Subject,
        now: Millis,
    ) -> Result<Authentication, AuthenticationError> {
        let look = self.cache.borrow_mut().lookup(key.tenant(), now);
        let (known, refresh, first) = match look {
            CacheLookup::Fresh(tenant) => (tenant, false, false),
            CacheLookup::Stale { value, refresh } => (value, refresh, false),
            CacheLookup::Old { value, read } => (value, false, read),
            CacheLookup::Absent => (None, false, true),
        };
        let known = known.filter(|tenant| matches!(tenant.key(key, now), KeyStatus::Valid(_)));
        let found = |tenant| Caller::Tenant(key.tenant().clone(), tenant);
        match known {
            Some(tenant) if !first => return Ok(Authentication { caller: found(tenant), refresh }),
            // Whoever has been found wrong stays so for a while, and its tenant's document need not be read for it.
            None if self.guesses.is_wrong(&key.digest(), now) => {
                return Ok(Authentication { caller: Caller::UnknownKey, refresh });
            }
            _ => {}
        }
        let asking = match self.guesses.ask(client, now) {
            Ok(asking) => asking,
            Err(Held::Guessing(wait)) => return Err(AuthenticationError::TooManyGuesses(wait)),
            Err(Held::TooManyLookups) => return Err(AuthenticationError::TooManyLookups),
        };
        let read = match (self.refresh(tenants, key.tenant(), now).await, known) {
            (Ok(read), _) => read,
            // What is known is better than nothing.
            (Err(_), Some(tenant)) => return Ok(Authentication { caller: found(tenant), refresh: false }),
            (Err(error), None) => return Err(error.into()),
        };
        if let Some(tenant) = read
            && let KeyStatus::Valid(_) = tenant.key(key, now)
        {
            return Ok(Authentication { caller: found(tenant), refresh: false });
        }
        asking.was_wrong(key.digest(), now, self.memory);
        Ok(Authentication { caller: Caller::UnknownKey, refresh: false })
    }

    /// Reads a tenant's document, returns it, and remembers it as of `now`, without what no request is judged by: memory is small.
    ///
    /// # Errors
    /// When Redis fails or the document cannot be read; what was known stays known.
    pub async fn refresh<T: Transport>(
        &self,
        tenants: TenantStore<'_, T>,
        id: &TenantId,
        now: Millis,
    ) -> Result<Option<Arc<Tenant>>, StoreError> {
        let tenant = tenants.get(id).await?.map(|stored| stored.tenant.without_metadata());
        Ok(self.cache.borrow_mut().put(id, tenant, now))
    }

    /// Forgets a tenant: it has been changed.
    pub fn forget(&self, id: &TenantId) {
        self.cache.borrow_mut().forget(id);
    }
}
