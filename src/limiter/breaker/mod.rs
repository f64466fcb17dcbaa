//! The circuit breaker: stops calling Redis while it fails.
//!
//! - `breaker`: [`CircuitBreaker`], the state machine.
//! - `transport`: [`Guarded`], a transport behind a breaker.

mod breaker;
mod transport;

pub use breaker::{BreakerState, Change, CircuitBreaker, Permit};
pub use transport::{Guarded, Surroundings};
