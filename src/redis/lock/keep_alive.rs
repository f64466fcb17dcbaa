//! Renewing a lock for as long as its holder works.

use std::pin::pin;
use std::task::Poll;

use super::guard::{Guard, Loss, Renewal};
use super::runtime::Runtime;
use crate::redis::error::RedisError;
use crate::redis::transport::Transport;
use crate::time::Millis;

impl<T: Transport, R: Runtime> Guard<'_, T, R> {
    /// Renews whenever a third of the lease has passed, until the lock is lost, and says why. Dropped, it stops
    /// renewing and nothing else.
    ///
    /// It is to run beside the work, in one `select!` with it: then a loss ends the work. A renewal that
    /// fails is tried again until the lease ends; it returns then, also if Redis still owes an answer.
    pub async fn keep_alive(&self) -> Loss {
        let (runtime, lease) = (&self.lock.runtime, self.lock.lease);
        let mut failure = None;
        loop {
            if let Some(loss) = self.blame(failure.clone()) {
                return loss;
            }
            let left = self.remaining().get();
            let pause = match failure {
                None => left.saturating_sub(lease.renew_at()),
                Some(_) => lease.retry_pause().min(left),
            };
            runtime.sleep(Millis::new(pause)).await;
            let deadline = runtime.sleep(self.remaining());
            match first(self.renew(), deadline).await {
                Some(Ok(Renewal::Renewed)) => failure = None,
                Some(Ok(Renewal::Lost(_))) => {}
                Some(Err(error)) => failure = Some(error),
                None => failure = Some(RedisError::Timeout),
            }
        }
    }
}

/// What the future gives, if it is ready before the deadline.
async fn first<O>(future: impl Future<Output = O>, deadline: impl Future<Output = ()>) -> Option<O> {
    let (mut future, mut deadline) = (pin!(future), pin!(deadline));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
    .await
}
