//! The state that all requests share.

use crate::{auth::Token, backend::Store, metrics::Metrics, script_rewriter::ScriptRewriter};

/// The state that all requests share.
pub(crate) struct Service {
    pub(crate) token: Token,
    pub(crate) store: Store,
    pub(crate) scripts: ScriptRewriter,
    pub(crate) metrics: Metrics,
}
