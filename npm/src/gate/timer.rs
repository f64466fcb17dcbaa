//! Waiting.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::futures::JsFuture;
use sluicegate::time::Millis;

use super::js::Timeout;

/// A future that is ready a time after it is first polled. Dropping it before cancels the timer: until then, a program
/// in Node would not end.
pub(super) struct Timer {
    wait: Millis,
    started: Option<Started>,
}

struct Started {
    timeout: Timeout,
    passed: JsFuture,
}

impl Timer {
    pub(super) fn new(wait: Millis) -> Self {
        Timer { wait, started: None }
    }
}

/// Waits.
pub(super) async fn sleep(wait: Millis) {
    Timer::new(wait).await;
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let wait = self.wait;
        let started = self.started.get_or_insert_with(|| Started::now(wait));
        Pin::new(&mut started.passed).poll(context).map(drop)
    }
}

impl Started {
    #[expect(clippy::cast_precision_loss, reason = "a configured duration, far below 2^53")]
    fn now(wait: Millis) -> Self {
        let timeout = Timeout::start(wait.get() as f64);
        Started { passed: JsFuture::from(timeout.passed()), timeout }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Does nothing if it has passed.
        self.timeout.cancel();
    }
}
