//! How many requests to Redis one invocation may make.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::redis::{RedisError, Response, Transport};

/// A way to Redis that counts. It refuses nothing: who works with it stops in time.
#[derive(Debug)]
pub(super) struct Budget<T> {
    to: T,
    calls: u32,
    made: AtomicU32,
}

impl<T: Transport> Budget<T> {
    pub(super) fn new(to: T, calls: u32) -> Self {
        Budget { to, calls, made: AtomicU32::new(0) }
    }

    /// How many requests there were.
    pub(super) fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// Whether so many more may follow.
    pub(super) fn has(&self, calls: u32) -> bool {
        self.made().saturating_add(calls) <= self.calls
    }
}

impl<T: Transport> Transport for Budget<T> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.to.post(body).await
    }
}
