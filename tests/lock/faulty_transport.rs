//! A transport on which a test can delay requests and lose replies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use tokio::sync::Notify;

/// A transport with faults, which all clones share.
#[derive(Debug, Clone)]
pub(crate) struct FaultyTransport {
    to: HttpTransport,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    posts: AtomicUsize,
    hold_requests: AtomicBool,
    hold_replies: AtomicBool,
    lose_replies: AtomicBool,
    held: Notify,
    resume: Notify,
}

impl FaultyTransport {
    pub(crate) fn new(to: HttpTransport) -> Self {
        FaultyTransport { to, faults: Arc::default() }
    }

    /// Sets whether each request waits for [`FaultyTransport::resume`] before it is sent.
    pub(crate) fn hold_requests(&self, hold: bool) {
        self.faults.hold_requests.store(hold, Ordering::SeqCst);
    }

    /// Sets whether each reply waits for [`FaultyTransport::resume`] after Redis has sent it.
    pub(crate) fn hold_replies(&self, hold: bool) {
        self.faults.hold_replies.store(hold, Ordering::SeqCst);
    }

    /// Sets whether replies are lost: Redis executes the command, and the client sees a timeout.
    pub(crate) fn lose_replies(&self, lose: bool) {
        self.faults.lose_replies.store(lose, Ordering::SeqCst);
    }

    /// Resolves when a request or a reply is held.
    pub(crate) async fn held(&self) {
        self.faults.held.notified().await;
    }

    /// Resumes one held request or reply.
    pub(crate) fn resume(&self) {
        self.faults.resume.notify_one();
    }

    /// Returns the number of requests so far.
    pub(crate) fn posts(&self) -> usize {
        self.faults.posts.load(Ordering::SeqCst)
    }

    async fn wait_if(&self, hold: &AtomicBool) {
        if hold.load(Ordering::SeqCst) {
            self.faults.held.notify_one();
            self.faults.resume.notified().await;
        }
    }
}

impl Transport for FaultyTransport {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.faults.posts.fetch_add(1, Ordering::SeqCst);
        self.wait_if(&self.faults.hold_requests).await;
        let reply = self.to.post(body).await?;
        self.wait_if(&self.faults.hold_replies).await;
        if self.faults.lose_replies.load(Ordering::SeqCst) { Err(RedisError::Timeout) } else { Ok(reply) }
    }
}
