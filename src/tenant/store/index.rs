//! The index of tenants: a sorted set of their ids.
//!
//! Documents and the index are in different hash slots, so no script can change both. Instead, every creation or
//! deletion of a document updates the index afterwards, then checks that the document still agrees with it.

use super::error::StoreError;
use super::store::{INDEX_KEY, TenantStore, document_key};
use crate::redis::{self, Command, RedisError, Transport};
use crate::tenant::id::TenantId;

/// A page of the list of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The ids, in byte order. An id may have no document: its tenant is being created or deleted.
    pub ids: Vec<TenantId>,
    /// Whether more ids follow.
    pub more: bool,
}

impl<T: Transport> TenantStore<'_, T> {
    /// Returns the first `limit` tenants whose ids follow `after`. Takes one command.
    ///
    /// # Errors
    /// Fails if Redis fails, or if the index has a member that is not a tenant id.
    pub async fn list(&self, after: Option<&TenantId>, limit: usize) -> Result<Page, StoreError> {
        let min = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let count = limit.saturating_add(1) as u64;
        let command =
            Command::new("ZRANGEBYLEX").text(INDEX_KEY).text(&min).text("+").text("LIMIT").number(0).number(count);
        let mut members: Vec<String> = redis::run(self.transport, command).await?;
        let more = members.len() > limit;
        members.truncate(limit);
        let id = |member: String| TenantId::new(&member).map_err(|_| StoreError::Index { member });
        Ok(Page { ids: members.into_iter().map(id).collect::<Result<_, _>>()?, more })
    }

    /// Adds the id to the index, if it is not there.
    pub(super) async fn add_to_index(&self, id: &TenantId) -> Result<(), RedisError> {
        let command = Command::new("ZADD").text(INDEX_KEY).number(0).text(id.as_str());
        redis::run::<u64>(self.transport, command).await.map(drop)
    }

    /// Updates the index after a change to the document; `exists` says whether the change left a document.
    ///
    /// If several callers create and delete the same tenant at once, each checks the document after its write
    /// to the index. The caller with the last write to the index therefore sees the last change of the
    /// document, and repeats its write if the two disagree. So the last write is correct, and each repetition
    /// is caused by another caller.
    pub(super) async fn update_index(&self, id: &TenantId, mut exists: bool) -> Result<(), RedisError> {
        loop {
            if exists {
                self.add_to_index(id).await?;
            } else {
                let command = Command::new("ZREM").text(INDEX_KEY).text(id.as_str());
                redis::run::<u64>(self.transport, command).await?;
            }
            let found = redis::run::<u64>(self.transport, Command::new("EXISTS").text(&document_key(id))).await? == 1;
            if found == exists {
                return Ok(());
            }
            exists = found;
        }
    }
}
