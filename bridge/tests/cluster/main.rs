//! The bridge over HTTP. Each test has its own Redis Cluster.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its parts has failed")]

mod commands;
mod fixture;
mod moves;
mod outage;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
