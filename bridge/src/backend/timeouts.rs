//! How long Redis may take.

use std::time::Duration;

/// Redis is near: it accepts a connection at once or not at all.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Redis interrupts nobody for a slow script before 5 s (`busy-reply-threshold`); afterwards it answers `BUSY`.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(6);
