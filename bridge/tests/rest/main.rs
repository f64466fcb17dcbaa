//! The bridge over HTTP, in front of a redis-server of its own for each test.

mod batches;
mod commands;
mod key_locking;
mod metrics;
mod outage;
#[path = "../support/mod.rs"]
mod support;
