//! `lua/check.lua` against a real redis-server: its contract, as examples and properties.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod answers;
mod arguments;
#[path = "../support/cases.rs"]
mod cases;
mod costs;
#[path = "../support/oracle.rs"]
mod oracle;
mod properties;
mod state;
#[path = "../support/mod.rs"]
mod support;
use support::Spec;

/// The instant at which the examples start.
const T: u64 = 1_800_000_000_000;
