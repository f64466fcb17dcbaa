//! The library for JavaScript on a real Redis: in Node, and in workerd beside the deployed Worker. `make library` builds it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod node;
mod support;
mod tenants;
mod worker;
