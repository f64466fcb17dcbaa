//! The documents in Redis.

use super::error::StoreError;
use super::store::{TenantStore, key};
use super::stored::{Stored, Unreadable, Version};
use crate::config::json::InvalidInput;
use crate::redis::cas::{self, Expiry, Outcome};
use crate::redis::{self, Command, RedisError, Transport};
use crate::tenant::id::TenantId;
use crate::tenant::tenant::Tenant;

/// What became of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "there may be one already"]
pub enum Create {
    /// It is there now.
    Created(Stored),
    /// There was one already, and it stays.
    Exists,
}

/// What became of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "somebody else may have been faster"]
pub enum Replace {
    /// It is written.
    Replaced(Stored),
    /// The document is no longer the expected one, and stays; nothing is written.
    Lost {
        /// What is there; `None`: nothing is.
        found: Option<Stored>,
    },
}

/// What became of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "somebody else may have been faster"]
pub enum Delete {
    /// It is gone.
    Deleted,
    /// The document is no longer the expected one, and stays; or it is gone already.
    Lost {
        /// What is there; `None`: nothing is.
        found: Option<Stored>,
    },
}

impl<T: Transport> TenantStore<'_, T> {
    /// Reads a tenant; `None` if there is none. One command.
    ///
    /// # Errors
    /// When Redis fails, or the document cannot be read.
    pub async fn get(&self, id: &TenantId) -> Result<Option<Stored>, StoreError> {
        let text: Option<String> = match redis::run(self.transport, Command::new("GET").text(&key(id))).await {
            Err(RedisError::Command { reason }) if reason.contains("WRONGTYPE") => {
                let problem = InvalidInput::new("", "is no string in redis");
                return Err(Unreadable { id: id.clone(), problem, text: String::new() }.into());
            }
            result => result?,
        };
        Ok(Stored::read(id, text)?)
    }

    /// Reads several tenants with one command, each as [`TenantStore::get`] would, in their order. A document that cannot
    /// be read does not hide the others.
    ///
    /// # Errors
    /// When Redis fails.
    pub async fn get_many(&self, ids: &[TenantId]) -> Result<Vec<Result<Option<Stored>, Unreadable>>, RedisError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let command = ids.iter().fold(Command::new("MGET"), |command, id| command.text(&key(id)));
        let texts: Vec<Option<String>> = redis::run(self.transport, command).await?;
        if texts.len() != ids.len() {
            return Err(RedisError::Length { expected: ids.len(), found: texts.len() });
        }
        Ok(ids.iter().zip(texts).map(|(id, text)| Stored::read(id, text)).collect())
    }

    /// Creates a tenant, unless there is one.
    ///
    /// # Errors
    /// When Redis fails. It is unknown then whether the tenant is there.
    pub async fn create(&self, id: &TenantId, tenant: Tenant) -> Result<Create, RedisError> {
        let text = tenant.to_text();
        // Before the document: whatever happens after it, a tenant that exists is listed.
        self.add_to_index(id).await?;
        let outcome = cas::create(self.transport, self.dialect, &key(id), &text, Expiry::Never).await?;
        if let Outcome::Conflict { .. } = outcome {
            return Ok(Create::Exists);
        }
        self.keep_index(id, true).await?;
        Ok(Create::Created(Stored { id: id.clone(), tenant, text }))
    }

    /// Writes another tenant over the version that is expected to be there. One command.
    ///
    /// # Errors
    /// When Redis fails (it is unknown then whether it is written), or another document is there that cannot be read.
    pub async fn replace(&self, expected: Version<'_>, tenant: Tenant) -> Result<Replace, StoreError> {
        let (id, text) = (expected.id, tenant.to_text());
        let outcome = cas::replace(self.transport, self.dialect, &key(id), expected.text, &text, Expiry::Keep).await?;
        match outcome {
            Outcome::Swapped => Ok(Replace::Replaced(Stored { id: id.clone(), tenant, text })),
            Outcome::Conflict { found } => Ok(Replace::Lost { found: Stored::read(id, found)? }),
        }
    }

    /// Deletes the version that is expected to be there.
    ///
    /// # Errors
    /// As [`TenantStore::replace`].
    pub async fn delete(&self, expected: Version<'_>) -> Result<Delete, StoreError> {
        let id = expected.id;
        match cas::delete(self.transport, self.dialect, &key(id), expected.text).await? {
            Outcome::Swapped => {
                self.keep_index(id, false).await?;
                Ok(Delete::Deleted)
            }
            Outcome::Conflict { found } => Ok(Delete::Lost { found: Stored::read(id, found)? }),
        }
    }
}
