//! A load on the limiter, and the judge of everything it answered.
//!
//! [`load`] lets 64 clients ask at once and keeps every call with its answer. [`judge`] finds the order in which Redis
//! must have executed the calls and asks the in-memory limiter the same in that order: every integer of every answer
//! must be the same. [`promises`] hold whatever the order and whatever that limiter says.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod history;
pub(crate) mod judge;
pub(crate) mod load;
pub(crate) mod plans;
pub(crate) mod promises;
pub(crate) mod random;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod traffic;
