//! Keeps a request alive after its client has disconnected.

use futures_channel::oneshot;
use worker::Context;

/// Keeps a request alive until the value is dropped. Without it, the runtime abandons the request when the client
/// disconnects: its future is neither polled again nor dropped. Its memory would never be freed, and a lease taken in Redis
/// meanwhile would stay until it expires.
pub(super) struct KeepAlive {
    _until_dropped: oneshot::Sender<()>,
}

impl KeepAlive {
    /// Keeps the request of `context` alive from now on.
    pub(super) fn start(context: &Context) -> Self {
        let (sender, receiver) = oneshot::channel();
        context.wait_until(async move {
            // Nothing is ever sent: this waits until the sender is dropped.
            let _ = receiver.await;
        });
        KeepAlive { _until_dropped: sender }
    }
}
