//! The interface to the clock and the randomness that a lock needs.

use crate::time::Millis;

/// A clock, a timer and a source of randomness. The core has none of these; the caller provides them.
#[expect(async_fn_in_trait, reason = "the Worker's futures are not Send, the callers name concrete runtimes")]
pub trait Runtime {
    /// Waits for at least `duration`.
    async fn sleep(&self, duration: Millis);

    /// Returns the time of a monotonic clock, from an arbitrary start. It should advance while the process is
    /// stopped.
    ///
    /// If the clock stops between I/O operations (Workers) or while the machine sleeps (Linux's monotonic
    /// clock), a holder may believe that it holds the lock for too long. Then only the fencing token refuses
    /// its writes.
    fn now(&self) -> Millis;

    /// Returns a uniformly distributed random number. It spreads retries and need not be cryptographically
    /// secure.
    fn random(&self) -> u64;
}
