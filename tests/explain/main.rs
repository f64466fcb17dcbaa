//! Explanations of requests by a configuration alone, against the gateway's own decisions.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod agreement;
mod cases;
mod gateway;
mod outcomes;
#[path = "../support/tokens.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod tokens;
