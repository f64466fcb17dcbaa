//! Which tenants there are: a sorted set of their ids.
//!
//! Documents and index are in different hash slots, so no script can change both. Instead, whoever creates or
//! deletes a document writes the index after it, and then looks whether the document still is as the index says.

use super::error::StoreError;
use super::store::{KEY, TenantStore, key};
use crate::redis::{self, Command, RedisError, Transport};
use crate::tenant::id::TenantId;

/// A part of the list of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The ids, in the order of their bytes. One may have no document: it is being created or deleted.
    pub ids: Vec<TenantId>,
    /// Whether there are more after the last one.
    pub more: bool,
}

impl<T: Transport> TenantStore<'_, T> {
    /// The first `limit` tenants whose ids come after `after`. One command.
    ///
    /// # Errors
    /// When Redis fails, or the index has something else in it.
    pub async fn list(&self, after: Option<&TenantId>, limit: usize) -> Result<Page, StoreError> {
        let least = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let count = limit.saturating_add(1) as u64;
        let command =
            Command::new("ZRANGEBYLEX").text(KEY).text(&least).text("+").text("LIMIT").number(0).number(count);
        let mut members: Vec<String> = redis::run(self.transport, command).await?;
        let more = members.len() > limit;
        members.truncate(limit);
        let id = |member: String| TenantId::new(&member).map_err(|_| StoreError::Index { member });
        Ok(Page { ids: members.into_iter().map(id).collect::<Result<_, _>>()?, more })
    }

    /// Makes sure that the index has the id.
    pub(super) async fn add_to_index(&self, id: &TenantId) -> Result<(), RedisError> {
        let command = Command::new("ZADD").text(KEY).number(0).text(id.as_str());
        redis::run::<u64>(self.transport, command).await.map(drop)
    }

    /// Brings the index to what the document is, after a change that has left it there or not.
    ///
    /// Of those who create and delete the same tenant at once, one makes the last change, and looks at the
    /// document after it. Any other's write to the index that comes later is followed by a look of its own, which finds
    /// that change. So each repetition is somebody else's doing, and the last write is right.
    pub(super) async fn keep_index(&self, id: &TenantId, mut there: bool) -> Result<(), RedisError> {
        loop {
            if there {
                self.add_to_index(id).await?;
            } else {
                let command = Command::new("ZREM").text(KEY).text(id.as_str());
                redis::run::<u64>(self.transport, command).await?;
            }
            let found = redis::run::<u64>(self.transport, Command::new("EXISTS").text(&key(id))).await? == 1;
            if found == there {
                return Ok(());
            }
            there = found;
        }
    }
}
