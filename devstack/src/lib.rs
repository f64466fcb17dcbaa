//! Starts the parts sluicegate runs on, each real and on loopback: a private `redis-server`, the REST bridge,
//! a demo origin and the Worker in workerd.
//!
//! [`Stack`] starts all of them on free ports and gives access to each, for end-to-end tests. The binary
//! `sluicegate-devstack`, which `make dev` runs, starts the same parts on chosen ports. [`workerd`] runs a Worker
//! without wrangler. Every part ends with the value that holds it, also when a test panics.

pub mod backends;
pub mod bridge;
pub mod causes;
pub mod dev_vars;
mod endpoint;
mod host;
pub mod network;
pub mod open_files;
pub mod origin;
pub mod ports;
mod server;
pub mod stack;
pub mod worker;
pub mod workerd;
pub mod zone;

pub use backends::Backends;
pub use bridge::BridgeServer;
pub use network::{Fault, Network};
pub use origin::Origin;
pub use stack::{Options, OriginKind, Stack, StackError};
pub use worker::Worker;
