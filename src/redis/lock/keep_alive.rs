//! Renews a lock while its holder works.

use std::pin::pin;
use std::task::Poll;

use super::guard::{Guard, Loss, Renewal};
use super::runtime::Runtime;
use crate::redis::error::RedisError;
use crate::redis::transport::Transport;
use crate::time::Millis;

impl<T: Transport, R: Runtime> Guard<'_, T, R> {
    /// Renews the lock each time a third of the lease has passed, and returns the reason once the lock is lost.
    ///
    /// Run it concurrently with the work, in one `select!`, so that a loss ends the work. A failed renewal is
    /// retried until the lease ends; then this returns, even if a reply of Redis is outstanding. Dropping the
    /// future only stops the renewals.
    pub async fn keep_alive(&self) -> Loss {
        let (runtime, lease) = (&self.lock.runtime, self.lock.lease);
        let mut failure = None;
        loop {
            if let Some(loss) = self.loss_with_cause(failure.clone()) {
                return loss;
            }
            let left = self.remaining().get();
            let pause = match failure {
                None => left.saturating_sub(lease.renew_at()),
                Some(_) => lease.retry_pause().min(left),
            };
            runtime.sleep(Millis::new(pause)).await;
            let deadline = runtime.sleep(self.remaining());
            match before(deadline, self.renew()).await {
                Some(Ok(Renewal::Renewed)) => failure = None,
                Some(Ok(Renewal::Lost(_))) => {}
                Some(Err(error)) => failure = Some(error),
                None => failure = Some(RedisError::Timeout),
            }
        }
    }
}

/// Returns the output of `future`, or `None` if `deadline` is ready first.
async fn before<O>(deadline: impl Future<Output = ()>, future: impl Future<Output = O>) -> Option<O> {
    let (mut future, mut deadline) = (pin!(future), pin!(deadline));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
    .await
}
