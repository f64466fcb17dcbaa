//! Every key expires, neither before its state stops to matter nor after.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod acts;
#[path = "../support/clocked.rs"]
mod clocked;
mod empty;
mod forgetting;
mod lives;
mod mistakes;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/traffic.rs"]
mod traffic;
