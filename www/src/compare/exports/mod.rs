//! The comparison as JavaScript sees it. Every export converts; the work is done elsewhere.

#![allow(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "JavaScript calls these")]

mod comparison;
mod convert;
mod lane;
mod outcome;

pub use comparison::Comparison;
pub use lane::Lane;
pub use outcome::Outcome;
