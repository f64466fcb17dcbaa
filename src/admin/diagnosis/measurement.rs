//! What is known of Redis.

use crate::time::Millis;

/// The timing of a call to Redis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) round_trip: Millis,
    /// How far Redis's clock is ahead of the edge's, in milliseconds, to within half a round trip.
    pub(super) skew: i64,
}

/// What `INFO` says of the server.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) version: Option<String>,
    pub(super) eviction_policy: Option<String>,
}
