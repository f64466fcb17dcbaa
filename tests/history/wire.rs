//! A way to Redis on which something happens at a chosen request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use tokio::sync::Notify;

/// What happens at the chosen request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is not sent, and no answer comes.
    DieBefore,
    /// Redis does as it was told, and no answer comes.
    DieAfter,
    /// It is not sent, and the client learns that.
    Fail,
    /// It waits for [`Wire::go_on`] before it is sent.
    Pause,
}

/// Its clones share what happens to them.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    to: HttpTransport,
    at: u32,
    fate: Fate,
    posts: Arc<AtomicU32>,
    struck: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Wire {
    /// Something happens at the request number `at`, from 0.
    pub(crate) fn new(to: HttpTransport, at: u32, fate: Fate) -> Self {
        Wire { to, at, fate, posts: Arc::default(), struck: Arc::default(), go_on: Arc::default() }
    }

    /// Nothing happens.
    pub(crate) fn whole(to: HttpTransport) -> Self {
        Wire::new(to, u32::MAX, Fate::Fail)
    }

    /// How many requests there were.
    pub(crate) fn posts(&self) -> u32 {
        self.posts.load(Ordering::SeqCst)
    }

    /// Returns as soon as it has happened.
    pub(crate) async fn struck(&self) {
        self.struck.notified().await;
    }

    pub(crate) fn go_on(&self) {
        self.go_on.notify_one();
    }
}

impl Transport for Wire {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        if self.posts.fetch_add(1, Ordering::SeqCst) != self.at {
            return self.to.post(body).await;
        }
        match self.fate {
            Fate::DieBefore => {}
            Fate::DieAfter => drop(self.to.post(body).await?),
            Fate::Fail => return Err(RedisError::Timeout),
            Fate::Pause => {
                self.struck.notify_one();
                self.go_on.notified().await;
                return self.to.post(body).await;
            }
        }
        self.struck.notify_one();
        std::future::pending().await
    }
}
