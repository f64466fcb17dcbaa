//! What all requests share.

use crate::{auth::Token, backend::Store, metrics::Metrics, scripts::KeyLocking};

/// Everything that requests share.
pub(crate) struct Service {
    pub(crate) token: Token,
    pub(crate) store: Store,
    pub(crate) scripts: KeyLocking,
    pub(crate) metrics: Metrics,
}
