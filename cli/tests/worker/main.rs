//! The program against the real admin API, over real Redis.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod backends;
mod lifecycle;
#[path = "../../../tests/admin/native.rs"]
mod native;
#[allow(dead_code, reason = "the other tests of the program use more of it")]
#[path = "../program/run.rs"]
mod run;
#[allow(dead_code, reason = "the tests of the API use more of it")]
#[path = "../../../tests/admin/service.rs"]
mod service;
