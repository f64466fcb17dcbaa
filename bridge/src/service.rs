//! The state that all requests share.

use tokio::time::Instant;

use crate::{
    auth::Token, backend::Store, metrics::Metrics, operation::Operation, request_error::RequestError,
    request_span::RequestSpan, script_rewriter::ScriptRewriter, traces::Traces, unfinished::Unfinished,
};

/// The state that all requests share.
pub(crate) struct Service {
    pub(crate) token: Token,
    pub(crate) store: Store,
    pub(crate) scripts: ScriptRewriter,
    pub(crate) metrics: Metrics,
    /// `None` if no collector wants traces.
    pub(crate) traces: Option<Traces>,
}

impl Service {
    /// Waits for the reply of Redis to an operation of a request, and records how long it took.
    pub(crate) async fn observe<T>(
        &self,
        request: &RequestSpan,
        operation: Operation,
        reply: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, RequestError> {
        let span = request.redis(operation);
        let started = Instant::now();
        let unfinished = Unfinished::new(|| self.metrics.abandoned_redis(operation, started.elapsed()));
        let outcome = reply.await;
        unfinished.finish();
        let error = outcome.as_ref().err();
        self.metrics.redis(operation, error, started.elapsed());
        span.end(error);
        outcome
    }
}
