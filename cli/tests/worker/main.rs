//! Runs the program against the real admin API on a real Redis.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod backends;
mod configuration;
mod lifecycle;
#[path = "../../../tests/admin/native.rs"]
mod native;
#[allow(dead_code, reason = "tests/program uses more of it")]
#[path = "../program/run.rs"]
mod run;
#[allow(dead_code, reason = "tests/admin uses more of it")]
#[path = "../../../tests/admin/service.rs"]
mod service;
