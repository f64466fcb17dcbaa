//! Keeps a request alive.

use futures_channel::oneshot;
use worker::Context;

/// Keeps a request alive until it is dropped: else the runtime ends the request with its client, and nobody would give
/// back what it has taken meanwhile.
pub(super) struct KeepAlive {
    _until_dropped: oneshot::Sender<()>,
}

/// Holds a request.
pub(super) fn keep_alive(context: &Context) -> KeepAlive {
    let (sender, receiver) = oneshot::channel();
    context.wait_until(async move {
        // Nothing is ever sent.
        let _ = receiver.await;
    });
    KeepAlive { _until_dropped: sender }
}
