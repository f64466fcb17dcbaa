//! One deadline for several calls.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::error::RedisError;
use super::transport::{Response, Transport};

/// A deadline: a timer, shared by all calls of one decision.
///
/// The calls must come one after the other, in one task: a timer wakes only one.
pub struct Deadline {
    timer: RefCell<Pin<Box<dyn Future<Output = ()>>>>,
    passed: Cell<bool>,
}

impl Deadline {
    /// Creates a deadline that passes when `timer` ends.
    pub fn new(timer: impl Future<Output = ()> + 'static) -> Self {
        Deadline { timer: RefCell::new(Box::pin(timer)), passed: Cell::new(false) }
    }

    /// Starts again with another timer, whether or not the deadline has passed.
    pub fn restart(&self, timer: impl Future<Output = ()> + 'static) {
        *self.timer.borrow_mut() = Box::pin(timer);
        self.passed.set(false);
    }

    /// Returns the output of `future`, or `None` if the deadline passes first. `future` is then dropped; after the deadline
    /// it is not even polled.
    pub async fn bound<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut begun = false;
        poll_fn(|context| {
            if !begun && self.poll(context).is_ready() {
                return Poll::Ready(None);
            }
            begun = true;
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => self.poll(context).map(|()| None),
            }
        })
        .await
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        if !self.passed.get() {
            self.passed.set(self.timer.borrow_mut().as_mut().poll(context).is_ready());
        }
        if self.passed.get() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("passed", &self.passed).finish_non_exhaustive()
    }
}

/// A transport whose calls end at a deadline with [`RedisError::Timeout`]. Without one, they take as long as those of the
/// transport that it wraps.
#[derive(Debug, Clone, Copy)]
pub struct Timed<'a, T> {
    transport: T,
    deadline: Option<&'a Deadline>,
}

impl<'a, T> Timed<'a, T> {
    /// Bounds the calls of `transport`.
    pub fn new(transport: T, deadline: Option<&'a Deadline>) -> Self {
        Timed { transport, deadline }
    }
}

impl<T: Transport> Transport for Timed<'_, T> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        match self.deadline {
            Some(deadline) => deadline.bound(self.transport.post(body)).await.unwrap_or(Err(RedisError::Timeout)),
            None => self.transport.post(body).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    /// A server that needs this many milliseconds for each reply.
    struct Slow(u64);

    impl Transport for Slow {
        async fn post(&self, body: String) -> Result<Response, RedisError> {
            sleep(Duration::from_millis(self.0)).await;
            Ok(Response { status: 200, body: body.into() })
        }
    }

    fn milliseconds_since(start: Instant) -> u128 {
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_share_one_deadline() {
        let start = Instant::now();
        let deadline = Deadline::new(sleep(Duration::from_millis(250)));
        let transport = Timed::new(Slow(100), Some(&deadline));
        for ends in [100, 200] {
            assert!(transport.post(String::new()).await.is_ok());
            assert_eq!(milliseconds_since(start), ends);
        }
        assert_eq!(transport.post(String::new()).await, Err(RedisError::Timeout));
        assert_eq!(milliseconds_since(start), 250);
        // No call begins after the deadline.
        assert_eq!(Timed::new(Slow(0), Some(&deadline)).post(String::new()).await, Err(RedisError::Timeout));
        assert_eq!(milliseconds_since(start), 250);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_starts_again() {
        let start = Instant::now();
        let deadline = Deadline::new(sleep(Duration::from_millis(100)));
        assert_eq!(deadline.bound(pending::<()>()).await, None);
        deadline.restart(sleep(Duration::from_millis(100)));
        assert!(Timed::new(Slow(50), Some(&deadline)).post(String::new()).await.is_ok());
        assert_eq!(deadline.bound(pending::<()>()).await, None);
        assert_eq!(milliseconds_since(start), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_a_deadline_is_not_bound() {
        let start = Instant::now();
        assert!(Timed::new(Slow(60_000), None).post(String::new()).await.is_ok());
        assert_eq!(milliseconds_since(start), 60_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_at_the_deadline_counts() {
        let deadline = Deadline::new(sleep(Duration::from_millis(100)));
        assert!(Timed::new(Slow(100), Some(&deadline)).post(String::new()).await.is_ok());
        assert_eq!(deadline.bound(pending::<()>()).await, None);
    }
}
