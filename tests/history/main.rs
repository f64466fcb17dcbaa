//! The usage history against a real redis-server, through the real bridge: what counts on which day, recorders that
//! die at any point, that come together, that are paused, and that have little time.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../support/cases.rs"]
mod cases;
mod contention;
mod days;
mod deaths;
mod holding;
#[path = "../lock/runtime.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod runtime;
mod sequences;
#[path = "../lock/server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod server;
mod steps;
mod town;
mod wire;
