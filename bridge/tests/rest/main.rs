//! The bridge over HTTP. Each test has its own redis-server.

mod batches;
mod commands;
mod key_locking;
mod metrics;
mod outage;
#[path = "../support/mod.rs"]
mod support;
