//! What a lock needs of the world besides Redis.

use crate::time::Millis;

/// Time and chance: the core has neither, the shell gives them.
#[expect(async_fn_in_trait, reason = "the Worker's futures are not Send, the callers name concrete runtimes")]
pub trait Runtime {
    /// Returns after `duration`, not earlier.
    async fn sleep(&self, duration: Millis);

    /// The time by a clock that is never set: it counts from any instant, does not go backwards, and goes on
    /// while the process is stopped.
    ///
    /// Where a clock stands still between two I/O operations (Workers) or while the machine sleeps (Linux's
    /// monotonic clock), a holder may take itself for one for longer than it is; then only the fencing
    /// token keeps its writes out.
    fn now(&self) -> Millis;

    /// A number, each of the 2^64 as likely. It spreads those who wait; no secret hangs on it.
    fn random(&self) -> u64;
}
