//! End to end: the built Worker in workerd through `wrangler dev`, with a real redis-server, the bridge and
//! the demo origin. `make test` builds the Worker first.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod configuration;
mod limits;
mod outage;
mod page;
mod proxy;
mod support;
mod upgrade;
