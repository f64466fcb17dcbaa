//! Fuzz targets: everything that strangers and servers send, with the properties that must hold for any input.
//!
//! A target is a function of bytes that panics if a property does not hold. `bin/fuzz.rs` runs it under libFuzzer, and
//! `tests/replay.rs` runs it on the committed inputs and on mutations of them.
//!
//! - `targets/`: the targets, one file each
//! - `input`: reads the inputs, which are lines of text
//! - `fake_redis`: a Redis whose replies are part of the input
//! - `mutator`: changes an input at random, from a fixed seed

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is a finding"
)]

mod fake_redis;
mod input;
mod mutator;
mod targets;

pub use mutator::Mutator;
pub use targets::{TARGETS, Target};
