//! A way to Redis on which a test can hold requests up and lose answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use tokio::sync::Notify;

/// Its clones share what happens to them.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    to: HttpTransport,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    posts: AtomicUsize,
    hold_requests: AtomicBool,
    hold_answers: AtomicBool,
    lose_answers: AtomicBool,
    held: Notify,
    go_on: Notify,
}

impl Wire {
    pub(crate) fn new(to: HttpTransport) -> Self {
        Wire { to, faults: Arc::default() }
    }

    /// Whether requests wait, before they are sent, for [`Wire::go_on`].
    pub(crate) fn hold_requests(&self, hold: bool) {
        self.faults.hold_requests.store(hold, Ordering::SeqCst);
    }

    /// Whether answers wait, after Redis has given them, for [`Wire::go_on`].
    pub(crate) fn hold_answers(&self, hold: bool) {
        self.faults.hold_answers.store(hold, Ordering::SeqCst);
    }

    /// Whether answers are lost: Redis has done as it was told, and the client sees a timeout.
    pub(crate) fn lose_answers(&self, lose: bool) {
        self.faults.lose_answers.store(lose, Ordering::SeqCst);
    }

    /// Returns as soon as something is held.
    pub(crate) async fn held(&self) {
        self.faults.held.notified().await;
    }

    /// Lets one that is held go on.
    pub(crate) fn go_on(&self) {
        self.faults.go_on.notify_one();
    }

    /// How many requests there were.
    pub(crate) fn posts(&self) -> usize {
        self.faults.posts.load(Ordering::SeqCst)
    }

    async fn wait_if(&self, hold: &AtomicBool) {
        if hold.load(Ordering::SeqCst) {
            self.faults.held.notify_one();
            self.faults.go_on.notified().await;
        }
    }
}

impl Transport for Wire {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.faults.posts.fetch_add(1, Ordering::SeqCst);
        self.wait_if(&self.faults.hold_requests).await;
        let answer = self.to.post(body).await?;
        self.wait_if(&self.faults.hold_answers).await;
        if self.faults.lose_answers.load(Ordering::SeqCst) { Err(RedisError::Timeout) } else { Ok(answer) }
    }
}
