//! Prefetch: takes units from Redis in advance and spends them without asking Redis again.
//!
//! - `prefetch`: [`Prefetch`], the units that an isolate holds.
//! - `account`: the units that it holds for one subject and its limits.
//! - `lot`: units that were taken together, and what is left of them.
//! - `demand`: how many units the subject has asked for recently.

mod account;
mod demand;
mod lot;
#[expect(clippy::module_inception, reason = "the module has what its name says")]
mod prefetch;

pub use lot::{Leftover, LotId};
pub use prefetch::Prefetch;
pub(super) use prefetch::Take;
