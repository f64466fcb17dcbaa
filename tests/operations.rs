//! `lua/settle.lua`, `lua/release.lua` and `lua/reset.lua` against a real redis-server, and the limiter's
//! methods that call them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "operations/arguments.rs"]
mod arguments;
#[path = "operations/call.rs"]
mod call;
#[path = "support/cases.rs"]
mod cases;
#[path = "operations/leases.rs"]
mod leases;
#[path = "operations/once.rs"]
mod once;
#[path = "operations/properties.rs"]
mod properties;
#[path = "operations/real_costs.rs"]
mod real_costs;
#[path = "operations/rest.rs"]
mod rest;
#[path = "operations/sliding_log.rs"]
mod sliding_log;
#[path = "operations/state.rs"]
mod state;
mod support;
#[path = "operations/token_bucket.rs"]
mod token_bucket;
#[path = "operations/windows.rs"]
mod windows;
