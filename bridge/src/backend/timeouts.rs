//! The timeouts of connections to Redis.

use std::time::Duration;

/// Redis is close to the bridge: it accepts a connection immediately or not at all.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Longer than the 5 s (`busy-reply-threshold`) after which Redis replies `BUSY` while a slow script runs.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(6);
