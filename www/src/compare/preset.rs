//! The kinds of traffic.

/// A kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preset {
    /// Requests at equal distances.
    Steady,
    /// Bursts of random sizes at random times.
    Bursty,
    /// Half of the requests just before the end of every second window, the other half evenly over the window that
    /// follows.
    Boundary,
    /// All requests of two windows at almost the same time.
    Herd,
    /// Clients that repeat a refused request when the limiter says so.
    Patient,
    /// Clients that repeat a refused request at their own pace.
    Impatient,
}

impl Preset {
    pub(super) const ALL: [Preset; 6] =
        [Preset::Steady, Preset::Bursty, Preset::Boundary, Preset::Herd, Preset::Patient, Preset::Impatient];

    /// Returns the name in a link.
    pub(super) fn name(self) -> &'static str {
        match self {
            Preset::Steady => "steady",
            Preset::Bursty => "bursty",
            Preset::Boundary => "boundary",
            Preset::Herd => "herd",
            Preset::Patient => "patient",
            Preset::Impatient => "impatient",
        }
    }

    /// Returns whether a refused request is repeated until it is admitted.
    pub(super) fn retries(self) -> bool {
        matches!(self, Preset::Patient | Preset::Impatient)
    }
}
