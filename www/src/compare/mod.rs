//! The algorithms on the same traffic, side by side. Pure: virtual time, seeded random numbers.
//!
//! - `setting`, `preset`: what is compared, as the link of the page says it.
//! - `random`, `arrivals`, `clients`: the traffic.
//! - `model`, `decider`: who decides; the five algorithms by the [`MemoryLimiter`] of the core.
//! - `two_counters`: a model of another limiter, to compare with.
//! - `oracle`: what the limiters promise, calculated without them.
//! - `simulation`, `record`, `outcome`: a run, what happens in it, and what the page shows of it.
//! - `live`: a run that a Worker decides, and the simulation of the same decisions.
//! - `exports`: all this for JavaScript.
//!
//! Times are in milliseconds since the start of a run, unless they are called instants: those are since the Unix epoch.
//!
//! [`MemoryLimiter`]: sluicegate::limit::memory::MemoryLimiter

mod arrivals;
mod clients;
mod decider;
pub mod exports;
mod live;
mod model;
mod oracle;
mod outcome;
mod preset;
mod random;
mod record;
mod setting;
mod simulation;
pub mod two_counters;
