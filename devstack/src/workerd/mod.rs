//! A bare workerd: one Worker served by `workerd serve`, without wrangler.
//!
//! `wrangler dev` puts a proxy in front of the Worker. Without the proxy the Worker sees the client's own connection,
//! and the CPU time of the process is the Worker's.

mod compatibility;
mod config;
mod memory;
mod module;
mod process;

pub use compatibility::Compatibility;
pub use config::{Binding, Config};
pub use memory::resident_memory;
pub use module::{CONFIGURATION, Code, Module, NotBuilt, built_worker, worker_in};
pub use process::{Workerd, WorkerdError};
