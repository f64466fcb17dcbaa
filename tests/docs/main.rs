//! Checks that the documents match the code.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod api;
mod configuration;
mod cost_meter;
mod costs;
mod examples;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/markdown.rs"]
mod markdown;

use self::markdown::{document, quoted};
