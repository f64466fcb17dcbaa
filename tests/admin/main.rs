//! The admin API on a real redis-server, through the real bridge, and checked against its own description.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod any_bytes;
mod calls;
mod check;
mod diagnosis;
mod events;
mod explain;
mod keys;
mod locks;
mod native;
mod openapi;
mod overview;
mod races;
mod schemathesis;
mod service;
mod subjects;
mod tenants;
#[path = "../support/tool.rs"]
mod tool;
mod usage;
mod values;
