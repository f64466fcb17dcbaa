//! Starts the parts sluicegate runs on, each real and on loopback: a private `redis-server`, the REST bridge,
//! a demo origin and the Worker in workerd.
//!
//! [`Stack`] starts all of them on free ports and hands out a handle to each, for end-to-end tests. The binary
//! `sluicegate-devstack`, which `make dev` runs, starts the same parts on ports one can choose. Whatever was started
//! ends with the value that holds it, also when a test panics.

pub mod bridge;
pub mod dev_vars;
mod host;
pub mod origin;
pub mod ports;
pub mod stack;
pub mod throttle;
pub mod worker;

pub use bridge::BridgeServer;
pub use origin::Origin;
pub use stack::{Options, Stack, StackError};
pub use throttle::Throttle;
pub use worker::Worker;
