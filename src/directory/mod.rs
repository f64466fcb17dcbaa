//! Tells whose an API key is: from the tenants that the isolate remembers, else from Redis.
//!
//! A known tenant costs no round trip. One that was read long ago is served as it was while the caller refreshes it
//! ([`Directory::refresh`]) after the answer. A key that the remembered document does not know may be newer than
//! that: the document is read again, once a second at most. Whoever shows wrong keys is held up before Redis is
//! asked.

mod guesses;

use std::cell::RefCell;

use crate::admission::Caller;
use crate::config::Config;
use crate::redis::Transport;
use crate::subject::Subject;
use crate::tenant::{ApiKey, KeyStatus, Tenant, TenantId};
use crate::tenants::{Look, TenantCache, Tenants, TenantsError};
use crate::time::Millis;
use guesses::Guesses;

/// What an isolate knows of tenants.
#[derive(Debug)]
pub struct Directory {
    cache: RefCell<TenantCache>,
    guesses: Guesses,
}

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The tenant, or nobody.
    pub caller: Caller,
    /// The tenant's document is old: read it anew, after the request.
    pub refresh: bool,
}

/// Why it cannot be told whose a key is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The client has shown too many wrong keys, and may ask again after this time.
    #[error("too many unknown API keys from one client (it may ask again after {0})")]
    TooManyGuesses(Millis),
    /// The tenant cannot be read.
    #[error(transparent)]
    Tenants(#[from] TenantsError),
}

impl Directory {
    /// A directory that knows nobody yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let cache = TenantCache::new(config.tenant_cache, config.tenant_ttl);
        Directory { cache: RefCell::new(cache), guesses: Guesses::default() }
    }

    /// Finds the tenant of `key`, which `client` shows.
    ///
    /// # Errors
    /// A [`DirectoryError`].
    pub async fn find<T: Transport>(
        &self,
        tenants: Tenants<'_, T>,
        key: &ApiKey,
        client: &Subject,
        now: Millis,
    ) -> Result<Answer, DirectoryError> {
        let look = self.cache.borrow_mut().look(key.tenant(), now);
        let (known, refresh) = match look {
            Look::Fresh(tenant) => (tenant, false),
            Look::Stale { value, refresh } => (value, refresh),
            Look::Absent => (None, false),
        };
        if let Some(tenant) = known
            && let KeyStatus::Valid(_) = tenant.key(key, now)
        {
            return Ok(Answer { caller: Caller::Tenant(key.tenant().clone(), tenant), refresh });
        }
        let stranger = Answer { caller: Caller::Stranger, refresh: false };
        if !refresh && !self.cache.borrow_mut().may_refetch(key.tenant(), now) {
            return Ok(stranger);
        }
        let asking = self.guesses.ask(client, now).map_err(DirectoryError::TooManyGuesses)?;
        self.refresh(tenants, key.tenant(), now).await?;
        let read = self.cache.borrow_mut().look(key.tenant(), now);
        if let Look::Fresh(Some(tenant)) = read
            && let KeyStatus::Valid(_) = tenant.key(key, now)
        {
            return Ok(Answer { caller: Caller::Tenant(key.tenant().clone(), tenant), refresh: false });
        }
        asking.was_wrong(now);
        Ok(stranger)
    }

    /// Reads a tenant's document, and remembers it as of `now`.
    ///
    /// # Errors
    /// When Redis fails or the document cannot be read; what was known stays known.
    pub async fn refresh<T: Transport>(
        &self,
        tenants: Tenants<'_, T>,
        id: &TenantId,
        now: Millis,
    ) -> Result<(), TenantsError> {
        let tenant: Option<Tenant> = tenants.get(id).await?.map(|stored| stored.tenant);
        self.cache.borrow_mut().put(id, tenant, now);
        Ok(())
    }

    /// Forgets a tenant: it has been changed.
    pub fn forget(&self, id: &TenantId) {
        self.cache.borrow_mut().forget(id);
    }
}
