//! A load on the limiter, and the verification of every reply.
//!
//! [`load`] runs 64 concurrent clients and records every call with its reply. [`judge`] finds the order in which Redis
//! must have executed the calls and replays them on the in-memory limiter: every integer of every reply must be the
//! same. [`promises`] checks guarantees independently of order and limiter.

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
