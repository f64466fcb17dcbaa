//! Runs the program `sluicegate` and checks its requests, its output and its exit code.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod charges;
mod check;
mod command_line;
mod doctor;
mod explain;
mod failures;
mod fake_worker;
mod keys;
mod origins;
mod overview;
mod run;
mod tenants;
mod usage;
mod validate;
