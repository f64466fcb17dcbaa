//! The result of a recorder's invocation.

use crate::redis::RedisError;
use crate::redis::lock::{FencingToken, Loss};
use crate::tenant::id::TenantId;
use crate::tenant::store::StoreError;
use crate::time::Millis;

/// What an invocation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Why it ended.
    pub end: End,
    /// The number of tenants processed.
    pub tenants: u64,
    /// The number of ledgers written.
    pub written: u64,
    /// The tenants with an invalid ledger. Their ledgers are left unchanged, and the other tenants are recorded.
    pub unreadable: Vec<TenantId>,
    /// The number of requests to Redis.
    pub calls: u32,
}

/// Why an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All tenants are recorded up to the end of yesterday.
    Done,
    /// The budget is used up. The next invocation continues.
    Paused,
    /// The time is too close to midnight. Nothing is recorded for some minutes around it.
    TooClose,
    /// Another recorder holds the lock.
    Busy {
        /// The time until its lease ends; `None` if it never ends.
        free_in: Option<Millis>,
    },
    /// The lock was lost. What was recorded stays.
    Lost(Loss),
    /// Another recorder has taken over, and a write was refused.
    Overtaken {
        /// The token of that recorder, or a later one.
        newest: FencingToken,
    },
}

/// Why an invocation failed. What it recorded stays, its lock expires, and the next invocation continues.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The list of tenants could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] RedisError),
}
