//! The usage history against a real redis-server, through the real bridge: the units of each day, and recorders that
//! die, pause, contend, run slowly or have a small budget.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../support/cases.rs"]
mod cases;
mod contention;
mod days;
mod deaths;
mod faulty_transport;
mod fixture;
#[path = "../lock/runtime.rs"]
#[allow(dead_code, reason = "not every test binary uses it")]
mod runtime;
mod sequences;
#[path = "../lock/server.rs"]
#[allow(dead_code, reason = "not every test binary uses it")]
mod server;
mod slow;
mod steps;
