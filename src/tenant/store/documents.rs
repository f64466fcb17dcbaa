//! Reads, creates, replaces and deletes tenant documents.

use super::error::StoreError;
use super::store::{TenantStore, document_key};
use super::stored::{Stored, Unreadable, Version};
use crate::config::json::InvalidInput;
use crate::redis::cas::{self, Expiry, Outcome};
use crate::redis::{self, Command, RedisError, Transport};
use crate::tenant::id::TenantId;
use crate::tenant::tenant::Tenant;

/// The outcome of [`TenantStore::create`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the tenant may have existed already"]
pub enum Create {
    /// The tenant was created.
    Created(Stored),
    /// The tenant existed already and has not changed.
    Exists,
}

/// The outcome of [`TenantStore::replace`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "another change may have come first"]
pub enum Replace {
    /// The document was replaced.
    Replaced(Stored),
    /// The document is no longer the expected version. Nothing was written.
    Lost {
        /// The current document; `None` if it does not exist.
        found: Option<Stored>,
    },
}

/// The outcome of [`TenantStore::delete`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "another change may have come first"]
pub enum Delete {
    /// The document was deleted.
    Deleted,
    /// The document is no longer the expected version. Nothing was deleted.
    Lost {
        /// The current document; `None` if it does not exist.
        found: Option<Stored>,
    },
}

impl<T: Transport> TenantStore<'_, T> {
    /// Reads a tenant; `None` if it does not exist. Takes one command.
    ///
    /// # Errors
    /// Fails if Redis fails or the document is invalid.
    pub async fn get(&self, id: &TenantId) -> Result<Option<Stored>, StoreError> {
        let text: Option<String> = match redis::run(self.transport, Command::new("GET").text(&document_key(id))).await {
            Err(RedisError::Command { reason }) if reason.contains("WRONGTYPE") => {
                let problem = InvalidInput::new("", "is not a string in redis");
                return Err(Unreadable { id: id.clone(), problem, text: String::new() }.into());
            }
            result => result?,
        };
        Ok(Stored::parse(id, text)?)
    }

    /// Reads several tenants with one command, in the order of `ids`. An invalid document does not hide the
    /// others.
    ///
    /// # Errors
    /// Fails if Redis fails.
    pub async fn get_many(&self, ids: &[TenantId]) -> Result<Vec<Result<Option<Stored>, Unreadable>>, RedisError> {
        let texts = self.mget(ids.iter().map(document_key).collect()).await?;
        Ok(ids.iter().zip(texts).map(|(id, text)| Stored::parse(id, text)).collect())
    }

    /// Same as [`TenantStore::get_many`], and each with the packed state of its limits, if there is one.
    ///
    /// # Errors
    /// Fails if Redis fails.
    pub async fn get_many_with_states(
        &self,
        ids: &[TenantId],
    ) -> Result<Vec<(Result<Option<Stored>, Unreadable>, Option<String>)>, RedisError> {
        let keys = ids.iter().flat_map(|id| [document_key(id), id.subject().state_key()]).collect();
        let mut texts = self.mget(keys).await?.into_iter();
        let mut next = || texts.next().flatten();
        Ok(ids.iter().map(|id| (Stored::parse(id, next()), next())).collect())
    }

    /// Reads the values of these keys with one command; without keys, with none.
    async fn mget(&self, keys: Vec<String>) -> Result<Vec<Option<String>>, RedisError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let command = keys.iter().fold(Command::new("MGET"), |command, key| command.text(key));
        let texts: Vec<Option<String>> = redis::run(self.transport, command).await?;
        if texts.len() != keys.len() {
            return Err(RedisError::Length { expected: keys.len(), found: texts.len() });
        }
        Ok(texts)
    }

    /// Creates a tenant, unless it exists.
    ///
    /// # Errors
    /// Fails if Redis fails. The tenant may or may not exist then.
    pub async fn create(&self, id: &TenantId, tenant: Tenant) -> Result<Create, RedisError> {
        let text = tenant.to_text();
        // The index comes first: even if a later step fails, every existing tenant is listed.
        self.add_to_index(id).await?;
        let outcome = cas::create(self.transport, self.dialect, &document_key(id), &text, Expiry::Never).await?;
        if let Outcome::Conflict { .. } = outcome {
            return Ok(Create::Exists);
        }
        self.update_index(id, true).await?;
        Ok(Create::Created(Stored { id: id.clone(), tenant, text }))
    }

    /// Replaces the expected version of a document. Takes one command.
    ///
    /// # Errors
    /// Fails if Redis fails (the document may or may not be replaced then), or if the current document is a
    /// different one and invalid.
    pub async fn replace(&self, expected: Version<'_>, tenant: Tenant) -> Result<Replace, StoreError> {
        let (id, text) = (expected.id, tenant.to_text());
        let key = document_key(id);
        let outcome = cas::replace(self.transport, self.dialect, &key, expected.text, &text, Expiry::Keep).await?;
        match outcome {
            Outcome::Swapped => Ok(Replace::Replaced(Stored { id: id.clone(), tenant, text })),
            Outcome::Conflict { found } => Ok(Replace::Lost { found: Stored::parse(id, found)? }),
        }
    }

    /// Deletes the expected version of a document.
    ///
    /// # Errors
    /// As [`TenantStore::replace`].
    pub async fn delete(&self, expected: Version<'_>) -> Result<Delete, StoreError> {
        let id = expected.id;
        match cas::delete(self.transport, self.dialect, &document_key(id), expected.text).await? {
            Outcome::Swapped => {
                self.update_index(id, false).await?;
                Ok(Delete::Deleted)
            }
            Outcome::Conflict { found } => Ok(Delete::Lost { found: Stored::parse(id, found)? }),
        }
    }
}
