//! Every key expires 1,000 ms after its state no longer matters: the allowed difference of callers' clocks.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod acts;
#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/clocked.rs"]
mod clocked;
#[path = "../support/direct.rs"]
mod direct;
mod empty;
mod forgetting;
mod lives;
mod mistakes;
mod skew;
mod states;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/traffic.rs"]
mod traffic;
