//! A transport with a fault at a chosen request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use tokio::sync::Notify;

/// A fault at the chosen request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request is not sent, and no reply arrives.
    DieBefore,
    /// Redis executes the command, and no reply arrives.
    DieAfter,
    /// The request is not sent, and the client gets an error.
    Fail,
    /// The request waits for [`FaultyTransport::resume`] before it is sent.
    Pause,
}

/// A transport with one fault, which all clones share.
#[derive(Debug, Clone)]
pub(crate) struct FaultyTransport {
    to: HttpTransport,
    at: u32,
    fault: Fault,
    posts: Arc<AtomicU32>,
    fault_occurred: Arc<Notify>,
    resume: Arc<Notify>,
}

impl FaultyTransport {
    /// Returns a transport with a fault at request number `at`, counted from 0.
    pub(crate) fn new(to: HttpTransport, at: u32, fault: Fault) -> Self {
        FaultyTransport { to, at, fault, posts: Arc::default(), fault_occurred: Arc::default(), resume: Arc::default() }
    }

    /// Returns a transport without a fault.
    pub(crate) fn without_fault(to: HttpTransport) -> Self {
        FaultyTransport::new(to, u32::MAX, Fault::Fail)
    }

    /// Returns the number of requests so far.
    pub(crate) fn posts(&self) -> u32 {
        self.posts.load(Ordering::SeqCst)
    }

    /// Resolves when the fault has occurred.
    pub(crate) async fn fault_occurred(&self) {
        self.fault_occurred.notified().await;
    }

    pub(crate) fn resume(&self) {
        self.resume.notify_one();
    }
}

impl Transport for FaultyTransport {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        if self.posts.fetch_add(1, Ordering::SeqCst) != self.at {
            return self.to.post(body).await;
        }
        match self.fault {
            Fault::DieBefore => {}
            Fault::DieAfter => drop(self.to.post(body).await?),
            Fault::Fail => return Err(RedisError::Timeout),
            Fault::Pause => {
                self.fault_occurred.notify_one();
                self.resume.notified().await;
                return self.to.post(body).await;
            }
        }
        self.fault_occurred.notify_one();
        std::future::pending().await
    }
}
