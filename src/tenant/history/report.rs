//! What a recorder did.

use crate::redis::RedisError;
use crate::redis::lock::{FencingToken, Loss};
use crate::tenant::id::TenantId;
use crate::tenant::store::StoreError;
use crate::time::Millis;

/// What an invocation has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Why it ended.
    pub end: End,
    /// How many tenants it looked at.
    pub tenants: u64,
    /// How many ledgers it wrote.
    pub written: u64,
    /// Tenants whose ledger cannot be read. They are left as they are and hold nobody up.
    pub unreadable: Vec<TenantId>,
    /// How many requests to Redis it made.
    pub calls: u32,
}

/// Why an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every tenant is recorded up to the end of yesterday.
    Done,
    /// The budget is used up; the next invocation goes on.
    Paused,
    /// Yesterday is not closed yet, or today is about to end: some minutes around midnight nothing is recorded.
    TooClose,
    /// Another recorder is at work.
    Busy {
        /// Until its lease ends at the latest, if it ends.
        free_in: Option<Millis>,
    },
    /// The lock was lost on the way. What was recorded stays.
    Lost(Loss),
    /// Another recorder has taken over: a write was refused.
    Overtaken {
        /// Its token, or a later one.
        newest: FencingToken,
    },
}

/// Why an invocation failed. What it had recorded stays, its lock ends with the lease, and the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The list of tenants cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis could not be asked, or its answer is none.
    #[error(transparent)]
    Redis(#[from] RedisError),
}
